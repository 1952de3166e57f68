// Encodes dispatches and copies into a command encoder, the device's own or a caller's.
import type { NonlinError } from '../core/errors.ts';
import type { PooledBuffer } from './buffers.ts';
import type { PipelineEntry } from './pipelines.ts';
import type { KeptGroup, KeptLaunch } from './plans.ts';

/** One call of an op. Either all of its commands run or, if one of them cannot, none. */
export interface Op {
  /** The op that the user called. */
  readonly name: string;
  /**
   * Called if the commands do not run. The buffers they would have written then keep their contents and do not count
   * as failed.
   */
  readonly keeps: (() => void) | null;
  /** The error because of which the commands do not run. */
  error: NonlinError | null;
}

/** A dispatch. */
export interface Dispatch {
  readonly op: Op;
  readonly pipeline: PipelineEntry;
  readonly kept: KeptLaunch;
  readonly bound: KeptGroup;
  readonly uniformOffset: number;
}

/** A copy between buffers. */
export interface Copy {
  readonly op: Op;
  readonly from: PooledBuffer;
  readonly fromOffset: number;
  readonly to: PooledBuffer;
  readonly toOffset: number;
  readonly bytes: number;
  /** Whether part of `to` keeps contents that are still needed. */
  readonly partial?: boolean;
  /** Called when the copy is about to be submitted. */
  readonly encoded?: () => void;
}

/** The commands of a captured step: they run together or not at all. */
export interface Sequence {
  readonly op: Op;
  readonly pipelines: readonly PipelineEntry[];
  /** Buffers that are new: whether memory was available may not be known. */
  readonly births: readonly PooledBuffer[];
  /** Buffers whose contents it needs, and buffers that it writes and that are read by others. */
  readonly reads: readonly PooledBuffer[];
  readonly writes: readonly PooledBuffer[];
  readonly encode: (encoding: CommandEncoding) => void;
}

export type Command = Dispatch | Copy | Sequence;

/** Dynamic offsets, passed in one reused typed array, because a new array per dispatch would cost time. */
const offsets = /* @__PURE__ */ new Uint32Array(1);

/**
 * Encodes commands. A copy ends the compute pass and a dispatch begins one. Within a pass, only the state that
 * differs from the previous dispatch is set.
 */
export class CommandEncoding {
  dispatches = 0;
  readonly encoder: GPUCommandEncoder;
  #pass: GPUComputePassEncoder | null = null;
  #pipeline: GPUComputePipeline | null = null;
  #group: GPUBindGroup | null = null;

  constructor(encoder: GPUCommandEncoder) {
    this.encoder = encoder;
  }

  copy({ from, fromOffset, to, toOffset, bytes }: Omit<Copy, 'op'>): void {
    this.end();
    this.encoder.copyBufferToBuffer(from.gpu, fromOffset, to.gpu, toOffset, bytes);
  }

  dispatch(
    pipeline: GPUComputePipeline,
    group: GPUBindGroup,
    uniformOffset: number,
    [x, y, z]: readonly [number, number, number],
  ): void {
    const pass = (this.#pass ??= this.encoder.beginComputePass());
    if (this.#pipeline !== pipeline) {
      this.#pipeline = pipeline;
      pass.setPipeline(pipeline);
    }
    if (this.#group !== group || offsets[0] !== uniformOffset) {
      this.#group = group;
      offsets[0] = uniformOffset;
      pass.setBindGroup(0, group, offsets, 0, 1);
    }
    pass.dispatchWorkgroups(x, y, z);
    this.dispatches++;
  }

  /** Ends the compute pass, if there is one. */
  end(): void {
    this.#pass?.end();
    this.#pass = this.#pipeline = this.#group = null;
  }
}

// Encodes dispatches and copies into a command encoder, ours or a caller's.
import type { NonlinError } from '../core/errors.ts';
import type { PooledBuffer } from './buffers.ts';
import type { PipelineEntry } from './pipelines.ts';
import type { KeptGroup, KeptLaunch } from './plans.ts';

/** What one call of an op asks for: its commands run all or, where one of them cannot, none. */
export interface Op {
  /** The op that the user called. */
  readonly name: string;
  /** Told where its commands do not run; what they would have written is then what it was before, and no failure. */
  readonly keeps: (() => void) | null;
  /** Why its commands do not run. */
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
  /** Whether it leaves a part of `to` that is of use. */
  readonly partial?: boolean;
  /** Told when it is about to be submitted. */
  readonly encoded?: () => void;
}

export type Command = Dispatch | Copy;

/** Dynamic offsets, handed over as a view: an array would be made anew for each dispatch. */
const offsets = /* @__PURE__ */ new Uint32Array(1);

/** Encodes commands; a copy ends the compute pass, a dispatch opens one, which says only what differs from the one before. */
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

  /** Ends the compute pass. */
  end(): void {
    this.#pass?.end();
    this.#pass = this.#pipeline = this.#group = null;
  }
}

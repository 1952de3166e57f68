// In: launches and copies, one by one. Out: batches of them, each in one submit, in order, once their pipelines are compiled.
import { UNIFORM_BYTES } from '../kernel.ts';
import { unpooled, type PooledBuffer } from './buffers.ts';
import type { Group } from './layouts.ts';
import type { PipelineEntry } from './pipelines.ts';
import type { KeptLaunch } from './plans.ts';

/** A dispatch or a copy, ready to be encoded. */
export type Command =
  | {
      readonly pipeline: PipelineEntry;
      readonly group: Group;
      readonly uniformOffset: number;
      readonly workgroups: readonly [number, number, number];
    }
  | {
      readonly from: PooledBuffer;
      readonly fromOffset: number;
      readonly to: PooledBuffer;
      readonly toOffset: number;
      readonly bytes: number;
    };

interface Batch {
  readonly number: number;
  readonly commands: Command[];
  uniforms: Uint8Array<ArrayBuffer>;
  /** Bytes of `uniforms` in use. */
  used: number;
  /** Buffers to destroy once the batch is submitted. */
  readonly doomed: GPUBuffer[];
  readonly submitted: () => void;
  readonly whenSubmitted: Promise<void>;
}

/** Dispatches per batch: one submit each at most. */
const BATCH = 256;
/** Dispatches that a new batch has room for; most have few. */
const FIRST = 16;
const UNIFORM_DST = 0x40 | 0x08; // GPUBufferUsage.UNIFORM | COPY_DST by value: the global is missing in Node

/**
 * Encodes commands; a copy ends the compute pass, a dispatch opens one, which says only what differs from the dispatch
 * before. Returns the number of dispatches.
 */
export function encode(encoder: GPUCommandEncoder, commands: readonly Command[]): number {
  let pass: GPUComputePassEncoder | null = null;
  let pipeline: GPUComputePipeline | null = null;
  let group: Group | null = null;
  let dispatches = 0;
  for (const command of commands) {
    if ('from' in command) {
      pass?.end();
      pass = pipeline = group = null;
      const { from, fromOffset, to, toOffset, bytes } = command;
      encoder.copyBufferToBuffer(from.gpu, fromOffset, to.gpu, toOffset, bytes);
    } else if (command.pipeline.pipeline) {
      pass ??= encoder.beginComputePass();
      if (pipeline !== command.pipeline.pipeline) {
        pipeline = command.pipeline.pipeline;
        pass.setPipeline(pipeline);
      }
      if (group !== command.group || offsets[0] !== command.uniformOffset) {
        group = command.group;
        offsets[0] = command.uniformOffset;
        pass.setBindGroup(0, group.gpu, offsets, 0, 1);
      }
      const [x, y, z] = command.workgroups;
      pass.dispatchWorkgroups(x, y, z);
      dispatches++;
    }
  }
  pass?.end();
  return dispatches;
}

/** Dynamic offsets, handed over as a view: an array would be made anew for each dispatch. */
const offsets = /* @__PURE__ */ new Uint32Array(1);

function isCompiling({ pipeline, error }: PipelineEntry): boolean {
  return pipeline === null && error === null;
}

/** Collects commands and submits them in order: in the next microtask, or when a batch is full. */
export class CommandQueue {
  /** The uniform blocks of the batch being submitted; `writeBuffer` is ordered with submits, so one buffer serves all. */
  readonly uniforms: PooledBuffer;
  dispatches = 0;
  submits = 0;
  readonly #device: GPUDevice;
  readonly #onError: (entry: PipelineEntry) => void;
  readonly #watch: (submit: () => void) => void;
  readonly #onFlush: () => void;
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];
  readonly #sealed: Batch[] = [];
  #open: Batch;
  #scheduled = false;
  #waiting = false;

  /**
   * `watch` runs a submit under error scopes; `onError` is told of a pipeline that does not compile, `onFlush` that commands
   * are to be submitted.
   */
  constructor(
    device: GPUDevice,
    watch: (submit: () => void) => void,
    onError: (entry: PipelineEntry) => void,
    onFlush: () => void,
  ) {
    this.#device = device;
    this.#onFlush = onFlush;
    this.#watch = watch;
    this.#onError = onError;
    this.uniforms = unpooled(
      device.createBuffer({
        size: BATCH * UNIFORM_BYTES,
        usage: UNIFORM_DST,
        label: 'nonlin uniforms',
      }),
    );
    this.#open = this.#newBatch(0);
  }

  /** Number of the first batch not yet submitted: buffers last used before it are idle for `writeBuffer`. */
  get pendingFrom(): number {
    return (this.#sealed[0] ?? this.#open).number;
  }

  /** Number of the batch that commands go into now. */
  get current(): number {
    return this.#open.number;
  }

  /** The offset of a launch's uniforms in the open batch: copied there once, however often it is launched. */
  addUniforms(kept: KeptLaunch): number {
    if (this.#open.commands.length >= BATCH) void this.flush();
    const batch = this.#open;
    if (kept.batch === batch.number) return kept.uniformOffset;
    const offset = batch.used;
    if (offset === batch.uniforms.length) {
      const more = new Uint8Array(2 * offset);
      more.set(batch.uniforms);
      batch.uniforms = more;
    }
    batch.uniforms.set(kept.uniforms, offset);
    batch.used += UNIFORM_BYTES;
    kept.batch = batch.number;
    kept.uniformOffset = offset;
    return offset;
  }

  add(command: Command): void {
    this.#open.commands.push(command);
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      void this.flush();
    });
  }

  /** Destroys a buffer once the commands before this call are submitted. */
  destroyLater(buffer: PooledBuffer): void {
    if (buffer.lastUse < this.pendingFrom) buffer.gpu.destroy();
    else this.#open.doomed.push(buffer.gpu);
  }

  /** Closes the batch and submits all whose pipelines are ready. Resolves once everything so far is submitted. */
  flush(): Promise<void> {
    const batch = this.#open;
    if (batch.commands.length === 0 && batch.doomed.length === 0) {
      return this.#sealed.at(-1)?.whenSubmitted ?? Promise.resolve();
    }
    this.#onFlush();
    this.#sealed.push(batch);
    this.#open = this.#newBatch(batch.number + 1);
    if (!this.#waiting) this.#drain();
    return batch.whenSubmitted;
  }

  /** Submits everything now, with `compile` for pipelines that are not ready: for commands the caller submits next. */
  flushSync(compile: (entry: PipelineEntry) => void): void {
    void this.flush();
    for (const { commands } of this.#sealed) {
      for (const command of commands) {
        if ('pipeline' in command && isCompiling(command.pipeline)) compile(command.pipeline);
      }
    }
    for (let batch = this.#sealed.shift(); batch; batch = this.#sealed.shift()) this.#submit(batch);
  }

  #drain(): void {
    this.#waiting = false;
    for (let batch = this.#sealed[0]; batch; batch = this.#sealed[0]) {
      const compiling = batch.commands.flatMap((command) =>
        'pipeline' in command && isCompiling(command.pipeline) ? [command.pipeline.ready] : [],
      );
      if (compiling.length > 0) {
        this.#waiting = true;
        void Promise.all(compiling).then(() => {
          this.#drain();
        });
        return;
      }
      this.#sealed.shift();
      this.#submit(batch);
    }
  }

  #submit(batch: Batch): void {
    for (const command of batch.commands) {
      if ('pipeline' in command && command.pipeline.error) this.#onError(command.pipeline);
    }
    this.#watch(() => {
      if (batch.used > 0) {
        this.#device.queue.writeBuffer(this.uniforms.gpu, 0, batch.uniforms, 0, batch.used);
      }
      const encoder = this.#device.createCommandEncoder();
      this.dispatches += encode(encoder, batch.commands);
      this.#device.queue.submit([encoder.finish()]);
      this.submits++;
    });
    for (const buffer of batch.doomed) buffer.destroy();
    this.#spare.push(batch.uniforms);
    batch.submitted();
  }

  #newBatch(number: number): Batch {
    const { promise, resolve } = deferred();
    return {
      number,
      commands: [],
      uniforms: this.#spare.pop() ?? new Uint8Array(FIRST * UNIFORM_BYTES),
      used: 0,
      doomed: [],
      submitted: resolve,
      whenSubmitted: promise,
    };
  }
}

/** `Promise.withResolvers`, which Node 20 lacks. */
function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

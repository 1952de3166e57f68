// Collects launches and copies into batches. A batch is submitted in order once its pipelines are compiled and its
// memory is allocated.
import { UNIFORM_BYTES } from '../core/kernel.ts';
import { destroy, unpooled, type PooledBuffer } from './buffers.ts';
import type { Batch, Block, QueueParts } from './batch.ts';
import type { Command, Op } from './encoder.ts';
import type { Fate } from './fate.ts';
import type { PipelineEntry } from './pipelines.ts';
import type { KeptLaunch } from './plans.ts';
import { Submission } from './submission.ts';

/** Number of commands per batch: a training step of a small transformer has more than 300, and is to have one submit. */
const BATCH = 512;
/** Number of dispatches that a new batch has room for. Most batches have few. */
const FIRST = 16;
const UNIFORM_DST = 0x40 | 0x08; // GPUBufferUsage.UNIFORM | COPY_DST by value: the global is missing in Node

/** Collects commands and submits them in order, in the next microtask or when a batch is full. */
export class CommandQueue {
  /** Numbers of dispatches and submits so far. */
  readonly counts = { dispatches: 0, submits: 0 };
  readonly #parts: QueueParts;
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];
  readonly #sealed: Batch[] = [];
  #uniforms: PooledBuffer;
  #blocks = 0;
  #open: Batch;
  /** The batch that is partly submitted and waits for a fate. */
  #begun: Submission | null = null;
  #op: Op | null = null;
  #scheduled = false;
  #waiting = false;

  constructor(parts: QueueParts) {
    this.#parts = parts;
    this.#uniforms = this.#makeUniforms();
    this.#open = this.#newBatch(0);
  }

  /**
   * The uniforms of the batch that is being submitted. One buffer is enough for all, because `writeBuffer` and
   * submits run in order.
   */
  get uniforms(): PooledBuffer {
    return this.#uniforms;
  }

  /**
   * Number of the first batch that is not submitted yet. Buffers last used before it are idle, so `writeBuffer` may
   * write them.
   */
  get pendingFrom(): number {
    return (this.#sealed[0] ?? this.#open).number;
  }

  /** Number of the batch that collects commands now. */
  get current(): number {
    return this.#open.number;
  }

  /** The op to which new commands belong. */
  get op(): Op {
    if (!this.#op) throw new RangeError('a command outside of an op');
    return this.#op;
  }

  /** Commands from here to `endOp` belong to one op. */
  beginOp(name: string, keeps: (() => void) | null = null): void {
    if (this.#open.commands.length >= BATCH) void this.flush();
    this.#op = { name, keeps, error: null };
  }

  endOp(): void {
    this.#op = null;
  }

  /** The offset of a launch's uniforms in the open batch: copied there once, however often it is launched. */
  addUniforms(kept: KeptLaunch): number {
    const batch = this.#open;
    let block = batch.blocks.at(-1);
    if (kept.block === block?.number) return kept.uniformOffset;
    if (!block || block.used === BATCH * UNIFORM_BYTES) {
      block = this.#newBlock();
      batch.blocks.push(block);
      batch.cuts.push(batch.commands.length);
    }
    const offset = block.used;
    if (offset === block.bytes.length) {
      const more = new Uint8Array(2 * offset);
      more.set(block.bytes);
      block.bytes = more;
    }
    block.bytes.set(kept.uniforms, offset);
    block.used += UNIFORM_BYTES;
    kept.block = block.number;
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

  /** Destroys a buffer once all commands added before this call are submitted. */
  destroyLater(buffer: PooledBuffer): void {
    if (buffer.lastUse < this.pendingFrom) destroy(buffer);
    else this.#open.doomed.push(buffer);
  }

  /**
   * Closes the batch and submits all batches whose pipelines and memory are ready. Resolves once everything so far is
   * submitted.
   */
  flush(): Promise<void> {
    const batch = this.#open;
    if (batch.commands.length === 0 && batch.doomed.length === 0) {
      return this.#sealed.at(-1)?.whenSubmitted ?? Promise.resolve();
    }
    this.#seal(batch);
    if (!this.#waiting) this.#drain();
    return batch.whenSubmitted;
  }

  /**
   * Submits everything immediately, for commands that the caller submits next. Pipelines that are not ready are
   * compiled synchronously. New memory is used before it is known whether its allocation succeeded; what is written
   * then depends on its fate.
   */
  flushSync(): void {
    const { faults, pipelines } = this.#parts;
    if (this.#open.commands.length > 0) this.#seal(this.#open);
    if (this.#sealed.length === 0) return;
    for (const { commands } of this.#sealed) {
      for (const command of commands) {
        for (const entry of compiling(command)) pipelines.compileNow(entry);
      }
    }
    faults.useBirths();
    for (let batch = this.#sealed[0]; batch; batch = this.#sealed[0]) this.#submit(batch, false);
  }

  #seal(batch: Batch): void {
    if (this.#uniforms.birth?.error) this.#uniforms = this.#makeUniforms();
    batch.births = this.#parts.faults.births;
    this.#sealed.push(batch);
    this.#open = this.#newBatch(batch.number + 1);
  }

  #drain(): void {
    this.#waiting = false;
    for (let batch = this.#sealed[0]; batch; batch = this.#sealed[0]) {
      const unknown: Promise<void>[] = [];
      if (!this.#begun) {
        for (const fate of batch.births ?? []) {
          if (fate.error === undefined) unknown.push(fate.settled());
        }
        for (const command of batch.commands) {
          for (const { ready } of compiling(command)) unknown.push(ready);
        }
      }
      const fate = unknown.length === 0 ? this.#submit(batch, true) : null;
      if (fate) unknown.push(fate.settled());
      if (unknown.length === 0) continue;
      this.#waiting = true;
      void Promise.all(unknown).then(() => {
        this.#drain();
      });
      return;
    }
  }

  /** Submits a batch. Returns a fate if the batch is patient and must wait for it. */
  #submit(batch: Batch, patient: boolean): Fate | null {
    const submission = (this.#begun ??= new Submission(
      this.#parts,
      batch,
      this.#uniforms,
      this.counts,
    ));
    const fate = submission.run(patient);
    if (fate) return fate;
    this.#begun = null;
    this.#sealed.shift();
    for (const buffer of batch.doomed) destroy(buffer);
    for (const { bytes } of batch.blocks) this.#spare.push(bytes);
    batch.submitted();
    return null;
  }

  #makeUniforms(): PooledBuffer {
    const { device, faults, layouts } = this.#parts;
    // Cached bind groups refer to the previous uniform buffer.
    layouts.clear();
    return faults.watch('uniforms', ({ fate, again }) => {
      const make = (): GPUBuffer =>
        device.createBuffer({
          size: BATCH * UNIFORM_BYTES,
          usage: UNIFORM_DST,
          label: 'nonlin uniforms',
        });
      const uniforms = unpooled(make(), fate);
      again.push(() => {
        uniforms.gpu = make();
      });
      return uniforms;
    });
  }

  #newBlock(): Block {
    const bytes = this.#spare.pop() ?? new Uint8Array(FIRST * UNIFORM_BYTES);
    return { number: this.#blocks++, bytes, used: 0 };
  }

  #newBatch(number: number): Batch {
    const { promise, resolve } = deferred();
    return {
      number,
      commands: [],
      blocks: [this.#newBlock()],
      cuts: [],
      births: null,
      doomed: [],
      submitted: resolve,
      whenSubmitted: promise,
    };
  }
}

const NONE: readonly PipelineEntry[] = [];

/** The pipelines of a command that are not ready. */
function compiling(command: Command): readonly PipelineEntry[] {
  if ('pipeline' in command) return isCompiling(command.pipeline) ? [command.pipeline] : NONE;
  return 'pipelines' in command ? command.pipelines.filter(isCompiling) : NONE;
}

function isCompiling({ pipeline, error }: PipelineEntry): boolean {
  return pipeline === null && error === null;
}

/** `Promise.withResolvers`, which Node 20 lacks. */
function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

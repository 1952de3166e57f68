// Copies the bytes of a storage back to the host after all earlier work, or throws the reason why they cannot be
// used.
import { ShaderError, type NonlinError } from '../core/errors.ts';
import { isLost, unpooled, type BufferPool, type PooledBuffer } from './buffers.ts';
import type { Copy } from './encoder.ts';
import type { Faults } from './faults.ts';
import type { CommandQueue } from './queue.ts';
import { STATUS_BYTES, statusError } from './status.ts';
import type { GpuStorage } from './storage.ts';

const MAP_READ = 0x01; // GPUMapMode.READ by value: the global is missing in Node
const STATUS_USAGE = 0x80 | 0x04 | 0x08; // GPUBufferUsage.STORAGE | COPY_SRC | COPY_DST

/** An error that a kernel wrote to the status word. */
interface Note {
  readonly error: NonlinError;
  /** The first period in which it may have been written; see `PooledBuffer.noted`. */
  readonly since: number;
}

export class Readback {
  readonly #device: GPUDevice;
  readonly #queue: CommandQueue;
  readonly #pool: BufferPool;
  readonly #faults: Faults;
  #status: PooledBuffer;
  /** Number of reads that wait for the GPU. */
  #reads = 0;
  #statusUsed: 'no' | 'once' | 'always' = 'no';
  /** The last period whose errors are all known, and the period in which the status word was last cleared. */
  #lookedAt = -1;
  #cleared = 0;
  #notes: Note[] = [];

  constructor(device: GPUDevice, queue: CommandQueue, pool: BufferPool, faults: Faults) {
    this.#device = device;
    this.#queue = queue;
    this.#pool = pool;
    this.#faults = faults;
    this.#status = this.#makeStatus();
  }

  /** The status word, to which kernels write that an index is out of range. Its own `noted` is the current period. */
  get status(): PooledBuffer {
    if (isLost(this.#status)) this.#status = this.#makeStatus();
    return this.#status;
  }

  /** Whether no read waits for a result. */
  get idle(): boolean {
    return this.#reads === 0;
  }

  /**
   * Records that commands write the status word: `once` for own commands before the next read, `always` for a
   * caller's commands, which may run at any time.
   */
  usesStatus(when: 'once' | 'always'): void {
    if (this.#statusUsed !== 'always') this.#statusUsed = when;
  }

  /**
   * Reads the first `bytes` of a storage, or nothing of it if it is null. Throws the error that its contents depend
   * on.
   */
  async read(storage: GpuStorage | null, bytes: number): Promise<ArrayBuffer> {
    const before = this.#statusUsed;
    const status = before !== 'no';
    if (before === 'once') this.#statusUsed = 'no';
    const source = bytes > 0 ? storage : null;
    if (!source && !status) {
      await this.#queue.flush();
      return new ArrayBuffer(0);
    }
    const read = bytes + (status ? STATUS_BYTES : 0);
    const staging = this.#pool.acquire('data', read);
    staging.lastUse = this.#queue.current;
    let [period, noted] = [-1, -1];
    if (status) {
      const from = this.status;
      this.#copy({ from, fromOffset: 0, to: staging, toOffset: bytes, bytes: STATUS_BYTES }, () => {
        period = from.noted++;
      });
    }
    if (source) {
      const { buffer, offset } = source;
      const copy = { from: buffer, fromOffset: offset, to: staging, toOffset: 0, bytes };
      this.#copy({ ...copy, partial: status }, () => {
        noted = buffer.noted;
      });
    }
    const submitted = this.#queue.flush();
    this.#reads++;
    let mapped: ArrayBuffer;
    try {
      await submitted;
      this.#throwIfFailed(staging);
      mapped = await this.#map(staging, read);
      await staging.fate?.settled();
      this.#throwIfFailed(staging);
    } catch (error) {
      // It does not matter to anyone else that there was no memory for the copy, so this error is not reported again.
      if (staging.birth?.error) this.#faults.thrown(staging.birth.error);
      // The status word was not read, so the next read must do it.
      if (before === 'once') this.usesStatus('once');
      throw error;
    } finally {
      this.#reads--;
      this.#pool.release(staging);
    }
    if (status) this.#look(mapped.slice(bytes), period);
    this.#throwNote(noted);
    return status ? mapped.slice(0, bytes) : mapped;
  }

  /** Adds a copy after all work that was called before. */
  #copy(copy: Omit<Copy, 'op' | 'encoded'>, encoded: () => void): void {
    const queue = this.#queue;
    copy.from.lastUse = queue.current;
    queue.beginOp('data');
    queue.add({ ...copy, op: queue.op, encoded });
    queue.endOp();
  }

  #throwIfFailed({ fate }: PooledBuffer): void {
    const error = fate?.error;
    if (!error) return;
    this.#faults.thrown(error);
    throw error;
  }

  async #map(staging: PooledBuffer, bytes: number): Promise<ArrayBuffer> {
    try {
      await staging.gpu.mapAsync(MAP_READ, 0, bytes);
    } catch (cause) {
      staging.pinned = true;
      // The cause is the loss of the device, which may be reported a moment later, or an error in the error scopes.
      await Promise.race([this.#device.lost, new Promise((resolve) => setTimeout(resolve, 100))]);
      this.#throwIfFailed(staging);
      throw new ShaderError(
        { op: 'data', expected: 'a readable result', received: String(cause) },
        { cause },
      );
    }
    const copy = staging.gpu.getMappedRange(0, bytes).slice(0);
    staging.gpu.unmap();
    return copy;
  }

  /** Evaluates the status word as it was at the end of a period. */
  #look(bytes: ArrayBuffer, period: number): void {
    const since = this.#lookedAt + 1;
    this.#lookedAt = Math.max(this.#lookedAt, period);
    const error = statusError(bytes);
    // If several reads run at once, each finds the same error; only the first one reports it.
    if (!error || period < this.#cleared) return;
    this.#cleared = this.#status.noted;
    this.#device.queue.writeBuffer(this.#status.gpu, 0, new Uint32Array(STATUS_BYTES / 4));
    this.#notes.push({ error, since });
    this.#faults.report(error);
  }

  /** Throws an error of a kernel, once, if it may concern contents that were written in period `noted`. */
  #throwNote(noted: number): void {
    for (const note of this.#notes) {
      if (note.since > noted) continue;
      this.#notes = this.#notes.filter((other) => other !== note);
      // `synchronize` may have thrown it already.
      if (this.#faults.thrown(note.error)) throw note.error;
    }
  }

  #makeStatus(): PooledBuffer {
    return this.#faults.watch('status', ({ fate, again }) => {
      const make = (): GPUBuffer =>
        this.#device.createBuffer({
          size: STATUS_BYTES,
          usage: STATUS_USAGE,
          label: 'nonlin status',
        });
      const status = unpooled(make(), fate);
      status.noted = 0;
      again.push(() => {
        status.gpu = make();
      });
      return status;
    });
  }
}

// In: a storage. Out: its bytes on the host, after all work called for before, and what kernels noted in the status word.
import { ShaderError, type NonlinError } from '../errors.ts';
import type { BufferPool, PooledBuffer } from './buffers.ts';
import type { Faults } from './faults.ts';
import type { CommandQueue } from './queue.ts';
import { STATUS_BYTES, statusError } from './status.ts';
import type { GpuStorage } from './storage.ts';

const MAP_READ = 0x01; // GPUMapMode.READ by value: the global is missing in Node

export class Readback {
  /** Written by kernels that meet an index out of range. */
  readonly status: PooledBuffer;
  readonly #device: GPUDevice;
  readonly #queue: CommandQueue;
  readonly #pool: BufferPool;
  readonly #faults: Faults;
  /** Reads that wait for the GPU. */
  #reads = 0;
  #statusUsed: 'no' | 'once' | 'always' = 'no';

  constructor(
    device: GPUDevice,
    queue: CommandQueue,
    pool: BufferPool,
    faults: Faults,
    status: PooledBuffer,
  ) {
    this.#device = device;
    this.#queue = queue;
    this.#pool = pool;
    this.#faults = faults;
    this.status = status;
  }

  /** Whether nobody waits for a result. */
  get idle(): boolean {
    return this.#reads === 0;
  }

  /** Notes that commands write the status word: ours before the next read, or a caller's at a time unknown. */
  usesStatus(when: 'once' | 'always'): void {
    if (this.#statusUsed !== 'always') this.#statusUsed = when;
  }

  /** The first `bytes` of a storage, or none of it; throws what went wrong on the GPU since the last read. */
  async read(storage: GpuStorage | null, bytes: number): Promise<ArrayBuffer> {
    const status = this.#statusUsed !== 'no';
    if (this.#statusUsed === 'once') this.#statusUsed = 'no';
    if (!storage && !status) {
      await this.#queue.flush();
      await this.#faults.settle();
      return new ArrayBuffer(0);
    }
    const read = bytes + (status ? STATUS_BYTES : 0);
    this.#faults.begin();
    let staging: PooledBuffer;
    let submitted: Promise<void>;
    try {
      staging = this.#pool.acquire('data', read);
      this.#addCopies(staging, storage, bytes, status);
      submitted = this.#queue.flush();
    } finally {
      this.#faults.end();
    }
    this.#reads++;
    let mapped: ArrayBuffer;
    try {
      await submitted;
      mapped = await this.#map(staging, read);
    } finally {
      this.#reads--;
    }
    this.#pool.release(staging);
    const error = status ? statusError(mapped.slice(bytes)) : null;
    if (error) this.#clearStatus(error);
    await this.#faults.settle();
    return status ? mapped.slice(0, bytes) : mapped;
  }

  /** Puts copies into `staging` behind all work called for before. */
  #addCopies(
    staging: PooledBuffer,
    storage: GpuStorage | null,
    bytes: number,
    status: boolean,
  ): void {
    staging.lastUse = this.#queue.current;
    if (storage) {
      storage.buffer.lastUse = this.#queue.current;
      this.#queue.add({
        from: storage.buffer,
        fromOffset: storage.offset,
        to: staging,
        toOffset: 0,
        bytes,
      });
    }
    if (status) {
      this.#queue.add({
        from: this.status,
        fromOffset: 0,
        to: staging,
        toOffset: bytes,
        bytes: STATUS_BYTES,
      });
    }
  }

  async #map(staging: PooledBuffer, bytes: number): Promise<ArrayBuffer> {
    try {
      await staging.gpu.mapAsync(MAP_READ, 0, bytes);
    } catch (cause) {
      // The reason is the device's loss, which may be announced a moment later, or in the error scopes.
      await Promise.race([this.#device.lost, new Promise((resolve) => setTimeout(resolve, 100))]);
      await this.#faults.settle();
      throw new ShaderError(
        { op: 'data', expected: 'a readable result', received: String(cause) },
        { cause },
      );
    }
    const copy = staging.gpu.getMappedRange(0, bytes).slice(0);
    staging.gpu.unmap();
    return copy;
  }

  /** Reports an index out of range, once. */
  #clearStatus(error: NonlinError): void {
    this.#faults.report(error);
    this.#device.queue.writeBuffer(this.status.gpu, 0, new Uint32Array(STATUS_BYTES / 4));
  }
}

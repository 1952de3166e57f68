// Array buffers of the host, reference-counted and reused through a pool of bounded size.
import type { Device, DeviceStats } from '../core/device.ts';
import { allocating, sizeClass } from '../core/memory.ts';
import { Storage } from '../core/storage.ts';

export class CpuStorage extends Storage {
  readonly bytes: ArrayBuffer;
  readonly #free: (bytes: ArrayBuffer) => void;

  constructor(device: Device, bytes: ArrayBuffer, free: (bytes: ArrayBuffer) => void) {
    super(device);
    this.#free = free;
    this.bytes = bytes;
  }

  protected override free(): void {
    this.#free(this.bytes);
  }
}

/** Most bytes kept for reuse: new ones are cleared and, if many, brought in page by page, which takes longer than a short op. */
const POOL_BYTES = 128 * 2 ** 20;
/** Most buffers kept, as each is an object that the engine's collector has to walk, however small its memory. */
const POOL_BUFFERS = 4096;
/** Smallest size. */
const LEAST = 64;

export class HostPool {
  readonly #stats: DeviceStats;
  /** Free buffers by size. The size that was used last comes last. */
  readonly #free = new Map<number, ArrayBuffer[]>();

  /** Counts what it holds and gives out in `stats`. */
  constructor(stats: DeviceStats) {
    this.#stats = stats;
  }

  /** Memory of at least `bytes`, whatever is in it. */
  acquire(op: string, bytes: number): ArrayBuffer {
    const stats = this.#stats;
    const size = sizeClass(bytes, LEAST);
    let buffer = this.#latest(size)?.pop();
    if (buffer) {
      stats.pooledBuffers--;
      stats.pooledBytes -= size;
    } else {
      buffer = allocating(op, bytes, () => new ArrayBuffer(size));
      stats.buffersCreated++;
    }
    stats.liveBuffers++;
    stats.liveBytes += size;
    return buffer;
  }

  /** Takes memory back, not to be used again. */
  drop(buffer: ArrayBuffer): void {
    this.#stats.liveBuffers--;
    this.#stats.liveBytes -= buffer.byteLength;
  }

  release(buffer: ArrayBuffer): void {
    this.drop(buffer);
    const stats = this.#stats;
    const size = buffer.byteLength;
    if (size > POOL_BYTES) return;
    while (stats.pooledBytes + size > POOL_BYTES || stats.pooledBuffers >= POOL_BUFFERS)
      this.#dropOne();
    stats.pooledBuffers++;
    stats.pooledBytes += size;
    const list = this.#latest(size);
    if (list) list.push(buffer);
    else this.#free.set(size, [buffer]);
  }

  clear(): void {
    this.#free.clear();
    this.#stats.pooledBuffers = 0;
    this.#stats.pooledBytes = 0;
  }

  /** The free buffers of a size, which becomes the one that was used last. */
  #latest(size: number): ArrayBuffer[] | undefined {
    const list = this.#free.get(size);
    if (list) {
      this.#free.delete(size);
      this.#free.set(size, list);
    }
    return list;
  }

  /** Gives one buffer up, of the size that has not been used for longest. */
  #dropOne(): void {
    for (const [size, list] of this.#free) {
      if (list.pop()) {
        this.#stats.pooledBuffers--;
        this.#stats.pooledBytes -= size;
        return;
      }
      this.#free.delete(size);
    }
  }
}

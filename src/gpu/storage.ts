// A tensor's reference-counted share of a GPU buffer that comes from the pool or from a caller.
import type { Device } from '../core/device.ts';
import { Storage } from '../core/storage.ts';
import type { PooledBuffer } from './buffers.ts';

export class GpuStorage extends Storage {
  readonly buffer: PooledBuffer;
  readonly offset: number;
  readonly borrowed: boolean;
  readonly #free: (buffer: PooledBuffer) => void;

  constructor(
    device: Device,
    buffer: PooledBuffer,
    offset: number,
    borrowed: boolean,
    free: (buffer: PooledBuffer) => void,
  ) {
    super(device);
    this.buffer = buffer;
    this.offset = offset;
    this.borrowed = borrowed;
    this.#free = free;
  }

  protected override free(): void {
    if (!this.borrowed) this.#free(this.buffer);
  }
}

/** Returns a storage as one of this device. Throws an internal error if it is not. */
export function asGpu(storage: Storage): GpuStorage {
  if (!(storage instanceof GpuStorage)) throw new TypeError('not memory of a WebGPU device');
  return storage;
}

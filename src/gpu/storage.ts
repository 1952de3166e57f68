// A tensor's reference-counted hold on a GPU buffer, from the pool or a caller's.
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

/** A storage of this device, or an error that no user can cause. */
export function asGpu(storage: Storage): GpuStorage {
  if (!(storage instanceof GpuStorage)) throw new TypeError('not memory of a WebGPU device');
  return storage;
}

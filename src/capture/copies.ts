// Copies of whole tensors into memory that a captured step knows.
import type { Tensor } from '../core/tensor.ts';
import { bytesOf } from '../gpu/replay.ts';
import { asGpu } from '../gpu/storage.ts';
import { copyOf } from '../kernels/pointwise/basic.ts';

const COPY_SRC = 0x04; // GPUBufferUsage.COPY_SRC by value: the global is missing in Node

/** Whether a tensor's memory can be copied: a caller's buffer need not allow it. */
export function isCopiable(tensor: Tensor): boolean {
  const { buffer } = asGpu(tensor.storage('capture'));
  return !buffer.foreign || (buffer.gpu.usage & COPY_SRC) !== 0;
}

/** Copies as a replay does, or by a launch. */
export function copyInto(from: Tensor, to: Tensor): void {
  if (!isCopiable(from)) {
    copyOf(from, to);
    return;
  }
  const { device } = from;
  const bytes = bytesOf(from);
  if (bytes === 0) return;
  device.begin('capture');
  try {
    device.copy('capture', from.storage('capture'), to.storage('capture'), bytes);
  } finally {
    device.end();
  }
}

// Checks that a tensor fits into a caller's buffer at the given place.
import { describe } from '../core/describe.ts';
import { OptionError, ShapeError } from '../core/errors.ts';
import { checkHas } from '../core/validate-options.ts';

const STORAGE = 0x80; // GPUBufferUsage.STORAGE by value: the global is missing in Node

export function checkBorrowed(
  gpu: GPUBuffer,
  offset: number,
  bytes: number,
  alignment: number,
): void {
  checkHas('Tensor.fromBuffer', 'buffer', gpu, 'mapAsync', 'a GPUBuffer');
  if (!Number.isInteger(offset) || offset < 0 || offset % alignment !== 0) {
    throw new OptionError({
      op: 'Tensor.fromBuffer',
      argument: 'offset',
      expected: `a multiple of ${alignment}`,
      received: describe(offset),
    });
  }
  const needed = offset + Math.ceil(bytes / 4) * 4;
  if (gpu.size < needed) {
    throw new ShapeError({
      op: 'Tensor.fromBuffer',
      argument: 'buffer',
      expected: `at least ${needed} bytes`,
      received: `${gpu.size} bytes`,
    });
  }
  if ((gpu.usage & STORAGE) === 0) {
    throw new OptionError({
      op: 'Tensor.fromBuffer',
      argument: 'buffer',
      expected: 'usage STORAGE',
      received: `usage 0x${gpu.usage.toString(16)}`,
    });
  }
}

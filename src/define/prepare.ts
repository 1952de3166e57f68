// Runs an op once on tiny tensors, forward and backward, so that its pipelines are compiled.
import type { Device } from '../core/device.ts';
import { encode, type FloatDType } from '../core/dtype.ts';
import { SOFTWARE_SCALAR_BELOW } from '../kernels/tuning.ts';
import { sizeOf, type Shape } from '../core/shape.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';

/** Lengths of elementwise calls that may need different pipelines; see `Tuning.scalarBelow`. */
export const LENGTHS = [1, SOFTWARE_SCALAR_BELOW + 4];

/** Calls `fn` with leaf tensors of zeros, and then `backward` on its result. */
export function warmUp(
  device: Device,
  dtype: FloatDType,
  shapes: readonly Shape[],
  fn: (...leaves: [Tensor, Tensor]) => Tensor,
): void {
  const leaves = shapes.map((shape) =>
    fromHost(encode(dtype, new Float32Array(sizeOf(shape))), shape, dtype, device, true),
  );
  const result = fn(...(leaves as [Tensor, Tensor]));
  result.backward(result.size === 1 ? undefined : result.detach());
  for (const leaf of leaves) leaf.grad?.dispose();
}

/** The same with two tensors of each shape. */
export function warmUpPairs(
  device: Device,
  dtype: FloatDType,
  shapes: readonly Shape[],
  fn: (...leaves: [Tensor, Tensor]) => Tensor,
): void {
  for (const shape of shapes) warmUp(device, dtype, [shape, shape], fn);
}

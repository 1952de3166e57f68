// Sums and means along dimensions, and sums of gradients back to the shape of a broadcast operand.
import { runOne } from '../../core/dispatcher.ts';
import type { DType } from '../../core/dtype.ts';
import { sameShape, sizeOf, type Shape } from '../../core/shape.ts';
import { Tensor } from '../../core/tensor.ts';
import { castTo } from '../pointwise/basic.ts';
import { identity } from '../pointwise/cast.ts';
import { pointwise } from '../pointwise/plan.ts';
import { reduceKernel } from './plan.ts';
import { repeatedDims, stepsOf } from './steps.ts';

/**
 * The sum over `dims` (valid and distinct) divided by `divisor`, where those dimensions stay with length 1. It is
 * written to a given tensor of that many elements, or to a new one of the given dtype.
 */
export function reduceDims(
  x: Tensor,
  dims: readonly number[],
  divisor: number,
  to: Tensor | { dtype: DType } = x,
): Tensor {
  const shape = x.shape.map((d, i) => (dims.includes(i) ? 1 : d));
  const output = to instanceof Tensor && to !== x ? to : { shape, dtype: to.dtype };
  if (sizeOf(shape) === 1) {
    return runOne(
      pointwise,
      { op: identity, params: {}, shape: x.shape, sum: divisor },
      [x],
      output,
    );
  }
  let current = x;
  for (const { layout, shape: next, last } of stepsOf(x.shape, dims, divisor)) {
    const to = last ? output : ({ shape: next, dtype: 'float32' } as const);
    const result = runOne(reduceKernel, layout, [current], to);
    if (current !== x) current.dispose();
    current = result;
  }
  return current;
}

/**
 * Sums `x` over the dimensions along which `shape` was broadcast to the shape of `x`. Returns a new tensor, or a view
 * of the sum. `dtype` is that of the result, for sums that are computed in a wider dtype.
 */
export function sumTo(x: Tensor, shape: Shape, dtype: DType = x.dtype): Tensor {
  if (sameShape(x.shape, shape)) return dtype === x.dtype ? x.detach() : castTo(x, dtype);
  const dims = repeatedDims(shape, x.shape);
  const kept = dims.length === 0 ? sumTo(x, x.shape, dtype) : reduceDims(x, dims, 1, { dtype });
  const result = view(kept, shape);
  kept.dispose();
  return result;
}

/** The same memory under another shape of the same size. */
export function view(x: Tensor, shape: Shape): Tensor {
  return new Tensor(x.storage('reshape').retain(), shape, x.dtype);
}

// Elementwise parts of losses that count what is not 0, and divide by how many there are.
import { runOne } from '../core/dispatcher.ts';
import type { Tensor } from '../core/tensor.ts';
import { pointwise, type PointwiseOp } from '../kernels/pointwise/plan.ts';

/** 1 for what is not 0, else 0; of `mask`, an int32 tensor, or of float32 `counts`. Errors name the loss `name`. */
export const nonzero = (name: string, of: 'mask' | 'counts'): PointwiseOp => ({
  name,
  params: { names: [] },
  inputs: [of],
  results: 1,
  body: `  return Results(select(0.0, 1.0, ${of} != ${of === 'mask' ? '0' : '0.0'}));`,
  unary: (value) => Number(value !== 0),
});

/** In float32, 1 for each element of a mask that counts, else 0; by the op that `nonzero` made. */
export function keptOf(op: PointwiseOp, mask: Tensor): Tensor {
  const { shape } = mask;
  return runOne(pointwise, { op, params: {}, shape }, [mask], { shape, dtype: 'float32' });
}

/** A total over a count; over 1 where nothing was counted. */
export const overCount = (name: string): PointwiseOp => ({
  name,
  params: { names: [] },
  inputs: ['total', 'count'],
  results: 1,
  body: '  return Results(total / max(count, 1.0));',
  binary: (total, count) => total / Math.max(count, 1),
});

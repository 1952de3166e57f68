// Repeats a tensor to a shape that it broadcasts to; the gradient is summed back.
import { record } from '../../core/autograd.ts';
import { calling } from '../../core/calling.ts';
import { runOne } from '../../core/dispatcher.ts';
import { sameShape, type Shape } from '../../core/shape.ts';
import type { Tensor } from '../../core/tensor.ts';
import { castArgs } from './cast.ts';
import { pointwise } from './plan.ts';
import { sumTo } from '../reduce/sum-to.ts';

/** Returns a new tensor, or `x` itself if it has this shape already. */
export function expandTo(op: string, x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const { shape: from, dtype } = x;
  const output = calling(op, () => runOne(pointwise, castArgs(shape), [x], { shape, dtype }));
  return record(output, op, [x], [], (upstream) => [sumTo(upstream.tensor, from, dtype)]);
}

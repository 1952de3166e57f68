// The same memory under another shape.
import { record } from '../core/autograd.ts';
import { ShapeError } from '../core/errors.ts';
import { view } from '../kernels/reduce/sum-to.ts';
import { formatShape, sizeOf, type Shape } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkShape, checkTensor } from '../core/validate.ts';

/**
 * The same elements under another shape of the same size, without a copy; one dimension may be -1, to be inferred.
 *
 * @example reshape(x, [2, -1])
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  checkTensor('reshape', 'x', x, ['float32', 'float16', 'int32']);
  x.device.check('reshape');
  checkShape('reshape', 'shape', shape, -1);
  const known = sizeOf(shape.filter((d) => d !== -1));
  const inferred = known === 0 ? 0 : x.size / known;
  const wanted = shape.map((d) => (d === -1 ? inferred : d));
  const unknowns = shape.filter((d) => d === -1).length;
  if (unknowns > 1 || !Number.isInteger(inferred) || sizeOf(wanted) !== x.size) {
    throw new ShapeError({
      op: 'reshape',
      argument: 'shape',
      expected: `a shape of ${x.size} elements, with at most one -1`,
      received: formatShape(shape),
    });
  }
  const from = x.shape;
  return record(view(x, wanted), 'reshape', [x], [], (upstream) => [view(upstream.tensor, from)]);
}

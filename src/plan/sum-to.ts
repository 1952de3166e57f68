// Sums of gradients back to the shape of an operand that was repeated.
import { sameShape, sizeOf } from '../core/shape.ts';
import { identity } from '../kernels/pointwise/identity.ts';
import { pointwisePlanner } from '../kernels/pointwise/planner.ts';
import { repeatedDims, stepsOf } from '../kernels/reduce/steps.ts';
import { sumsPlanner } from '../kernels/reduce/sums.ts';
import type { KernelPass } from './kernel-pass.ts';
import type { Part } from './pass.ts';

/** Sums `from` over the dimensions along which `to` was repeated to its shape; or converts it, where none was. */
export function sumTo(pass: KernelPass, from: Part, to: Part): void {
  if (sameShape(from.shape, to.shape)) {
    pass.cast(from, to);
    return;
  }
  if (sizeOf(to.shape) === 1) {
    pass.run(
      pointwisePlanner,
      { op: identity, params: {}, shape: from.shape, sum: 1 },
      [from],
      [to],
    );
    return;
  }
  let current = from;
  for (const { layout, shape, last } of stepsOf(
    from.shape,
    repeatedDims(to.shape, from.shape),
    1,
  )) {
    const next = last ? to : pass.temporary(shape, 'float32');
    pass.run(sumsPlanner, layout, [current], [next]);
    if (current !== from) pass.release(current);
    current = next;
  }
}

// The loss of scores that have no classes at all. Empty rows have no kernel.
import { record } from '../core/autograd.ts';
import { empty } from '../core/dispatcher.ts';
import { reduceDims, view } from '../kernels/reduce/sum-to.ts';
import type { Shape } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Reduction } from './reduction.ts';

/** Losses of rows without classes: a sum of nothing for each row, and NaN for their mean, as in PyTorch. */
export function lossOfNoClasses(
  name: string,
  call: {
    readonly input: Tensor;
    readonly target: Tensor;
    readonly dim: number;
    readonly reduction: Reduction;
    readonly shape: Shape;
    readonly out: Tensor | undefined;
  },
): Tensor {
  const { input, target, dim, reduction, shape, out } = call;
  const dims = reduction === 'none' ? [dim] : input.shape.map((_, d) => d);
  const kept = input.shape.map((d, i) => (dims.includes(i) ? 1 : d));
  const into = out && view(out, kept);
  const sums = reduceDims(input, dims, reduction === 'mean' ? 0 : 1, into);
  const output = out ?? view(sums, shape);
  sums.dispose();
  const likes = [input.like(), target.like()];
  return record(output, name, [input, target], [], (_, __, needs) =>
    likes.map((like, i) => (needs[i] ? empty(input, name, like) : null)),
  );
}

// The pointwise ops that autograd itself needs: sums and copies of gradients.
import { runOne, staged } from '../../core/dispatcher.ts';
import type { DType } from '../../core/dtype.ts';
import { undone } from '../../core/scope.ts';
import type { Tensor } from '../../core/tensor.ts';
import { castArgs } from './cast.ts';
import { pointwise, type PointwiseOp } from './plan.ts';

const sumOfTwo: PointwiseOp = {
  name: 'backward',
  params: { names: [] },
  inputs: ['a', 'b'],
  results: 1,
  body: '  return Results(a + b);',
  binary: (a, b) => a + b,
  inPlace: [0],
};

/** a + b for tensors of the same shape, into `out` (which may be `a`) or a new tensor. */
export function accumulate(a: Tensor, b: Tensor, out?: Tensor): Tensor {
  return runOne(pointwise, { op: sumOfTwo, params: {}, shape: a.shape }, [a, b], out ?? a.like());
}

/**
 * Adds the second tensor of each pair to the first, which has the same shape. The returned function does it and
 * allocates nothing.
 */
export function accumulateAll(pairs: readonly (readonly [to: Tensor, by: Tensor])[]): () => void {
  const writes = staged(
    pointwise,
    pairs.map(([to, by]) => ({
      args: { op: sumOfTwo, params: {}, shape: to.shape },
      inputs: [to, by],
      outputs: [to],
    })),
  );
  return () => {
    for (const write of writes) write();
  };
}

/** A copy of a tensor in memory of its own, or a copy of `from` written to `out`. */
export function copyOf(from: Tensor, out?: Tensor): Tensor {
  return runOne(pointwise, castArgs(from.shape), [from], out ?? from.like());
}

/**
 * Copies the first tensor of each pair to the second, as if all at once: nothing is read after it was overwritten.
 * All memory is allocated before the first copy.
 */
export function copyAll(pairs: readonly (readonly [from: Tensor, to: Tensor])[]): void {
  const copies: Tensor[] = [];
  const writes = undone(() => {
    const runs = pairs.map(([from, own]) => {
      const storage = from.storage('copy');
      const written = pairs.some(
        ([, to]) => to.device === from.device && from.device.overlaps(storage, to.storage('copy')),
      );
      const apart = !written || storage === own.storage('copy');
      const source = apart ? from : copyOf(from);
      if (!apart) copies.push(source);
      return { args: castArgs(own.shape), inputs: [source], outputs: [own] };
    });
    return staged(pointwise, runs);
  });
  for (const write of writes) write();
  for (const copy of copies) copy.dispose();
}

/** The same numbers in another dtype. */
export function castTo(from: Tensor, dtype: DType): Tensor {
  return runOne(pointwise, castArgs(from.shape), [from], { shape: from.shape, dtype });
}

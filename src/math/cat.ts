// Tensors put together along a dimension, with gradients.
import { isRecording, record } from '../core/autograd.ts';
import { calling } from '../core/calling.ts';
import { describe } from '../core/describe.ts';
import { runOne } from '../core/dispatcher.ts';
import { DTypeError, ShapeError } from '../core/errors.ts';
import { formatShape, normalizeDim } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkDevice, checkOut, checkRank, checkSameDType, checkTensor } from '../core/validate.ts';
import { checkNumber, checkOptionNames } from '../core/validate-options.ts';
import { stridedCopy, type StridedPart } from '../kernels/strided/plan.ts';
import { copyRange, rangeOf } from './narrow.ts';

/** Options of `cat`. */
export interface CatOptions {
  /** The dimension along which they are put together; negative ones count from the end. Defaults to 0. */
  dim?: number;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

/** What an empty tensor of one dimension adds to others: nothing, as in PyTorch. */
const isNothing = ({ rank, size }: Tensor): boolean => rank === 1 && size === 0;

/**
 * Tensors of one dtype, any of them, put together along `dim`: their other dimensions are equal. Empty tensors of shape [0]
 * are left out. Always a copy. Gradient: to each its own part of the upstream one.
 *
 * @example cat([tensor([1, 2]), tensor([3])]) // [1, 2, 3]
 */
export function cat(tensors: readonly Tensor[], options: CatOptions = {}): Tensor {
  checkOptionNames('cat', options, ['dim', 'out']);
  const { dim = 0, out } = options;
  const given: unknown = tensors;
  if (!Array.isArray(given) || given.length === 0) {
    throw new DTypeError({
      op: 'cat',
      argument: 'tensors',
      expected: 'an array of tensors, at least one',
      received: describe(given),
    });
  }
  const [head] = tensors;
  Array.from<unknown>(given).forEach((value, i) => {
    const argument = `tensors.${i}`;
    checkTensor('cat', argument, value, ['float32', 'float16', 'int32']);
    if (!head) return;
    checkDevice('cat', argument, value, head.device);
    checkSameDType('cat', argument, value, head.dtype);
    checkRank('cat', { [argument]: value }, 1);
  });
  head?.device.check('cat');
  checkNumber('cat', 'dim', dim, { integer: true });
  const first = tensors.find((tensor) => !isNothing(tensor)) ?? tensors[0];
  if (!first) throw new RangeError('no tensor');
  const at = normalizeDim('cat', dim, first.rank);
  let n = 0;
  const starts = tensors.map((tensor, i) => {
    const start = n;
    const skipped = isNothing(tensor);
    if (!skipped) n += tensor.shape[at] ?? 0;
    const fits =
      skipped ||
      (tensor.rank === first.rank &&
        tensor.shape.every((d, k) => k === at || d === first.shape[k]));
    if (fits) return start;
    throw new ShapeError({
      op: 'cat',
      argument: `tensors.${i}`,
      expected: `a shape as ${formatShape(first.shape)}, but along dimension ${at}`,
      received: formatShape(tensor.shape),
    });
  });
  const shape = first.shape.with(at, n);
  const { device, dtype } = first;
  checkOut('cat', out, { device, dtype, shape }, isRecording(tensors));
  const parts = tensors.flatMap((tensor, input): StridedPart[] => {
    if (tensor.size === 0) return [];
    const { box, whole, own } = rangeOf(shape, at, starts[input] ?? 0, tensor.shape[at] ?? 0);
    return [{ shape: box, from: { ...own, input }, to: whole }];
  });
  const output = calling('cat', () =>
    runOne(stridedCopy, { parts }, tensors, out ?? { shape, dtype }),
  );
  const likes = tensors.map((tensor) => tensor.like());
  return record(output, 'cat', tensors, [], (upstream, _saved, needs) =>
    likes.map((like, i) => {
      if (!needs[i]) return null;
      return copyRange(upstream.tensor, at, starts[i] ?? 0, like);
    }),
  );
}

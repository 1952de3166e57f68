// A range along a dimension, with gradient.
import { isRecording, record } from '../core/autograd.ts';
import { calling } from '../core/calling.ts';
import { runOne, type Output } from '../core/dispatcher.ts';
import { IndexOutOfRangeError } from '../core/errors.ts';
import { normalizeDim, sizeOf, type Shape } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkOut, checkRank, checkTensor } from '../core/validate.ts';
import { checkNumber, checkOptionNames } from '../core/validate-options.ts';
import { view } from '../kernels/reduce/sum-to.ts';
import { stridedCopy, type Strided, type StridedPart } from '../kernels/strided/plan.ts';
import type { OutOption } from './matmul.ts';

/** @internal A range of [outer, n, inner] along the middle: what is copied, and where it is in a tensor of that length. */
export function rangeOf(
  shape: Shape,
  dim: number,
  start: number,
  length: number,
): { box: Shape; whole: Strided; own: Strided } {
  const outer = sizeOf(shape.slice(0, dim));
  const inner = sizeOf(shape.slice(dim + 1));
  const n = shape[dim] ?? 1;
  return {
    box: [outer, length * inner],
    whole: { offset: start * inner, strides: [n * inner, 1] },
    own: { offset: 0, strides: [length * inner, 1] },
  };
}

/** @internal The range of x from `start` on that is as long as a tensor along `dim`, written to it or to one like it. */
export function copyRange(x: Tensor, dim: number, start: number, to: Output): Tensor {
  const { box, whole, own } = rangeOf(x.shape, dim, start, to.shape[dim] ?? 0);
  const parts = [{ shape: box, from: { ...whole, input: 0 }, to: own }];
  return runOne(stridedCopy, { parts }, [x], to);
}

/**
 * The `length` elements of `x` from `start` on, along `dim`; negative `dim` and `start` count from the end. Any dtype. A copy,
 * unless the range is all of `x`: then the memory is shared, as by `reshape`. Gradient: the upstream one in the range, 0 beside it.
 *
 * @example narrow(tensor([1, 2, 3, 4]), 0, 1, 2) // [2, 3]
 */
export function narrow(
  x: Tensor,
  dim: number,
  start: number,
  length: number,
  options: OutOption = {},
): Tensor {
  checkOptionNames('narrow', options, ['out']);
  checkTensor('narrow', 'x', x, ['float32', 'float16', 'int32']);
  x.device.check('narrow');
  checkRank('narrow', { x }, 1);
  checkNumber('narrow', 'dim', dim, { integer: true });
  const at = normalizeDim('narrow', dim, x.rank);
  const n = x.shape[at] ?? 1;
  checkNumber('narrow', 'start', start, { integer: true });
  if (start < -n || start > n) {
    throw new IndexOutOfRangeError({
      op: 'narrow',
      argument: 'start',
      expected: `an integer from ${-n} to ${n}`,
      received: String(start),
    });
  }
  const from = start < 0 ? start + n : start;
  checkNumber('narrow', 'length', length, { integer: true });
  if (length < 0 || from + length > n) {
    throw new IndexOutOfRangeError({
      op: 'narrow',
      argument: 'length',
      expected: `an integer from 0 to ${n - from}`,
      received: String(length),
    });
  }
  const { device, dtype, shape } = x;
  const result = shape.with(at, length);
  const { out } = options;
  checkOut('narrow', out, { device, dtype, shape: result }, isRecording([x]));
  const output =
    length === n && !out
      ? view(x, result)
      : calling('narrow', () => copyRange(x, at, from, out ?? { shape: result, dtype }));
  return record(output, 'narrow', [x], [], (upstream) => {
    const zeros = (first: number, count: number): StridedPart => {
      const { box, whole } = rangeOf(shape, at, first, count);
      return { shape: box, from: null, to: whole };
    };
    const { box, whole, own } = rangeOf(shape, at, from, length);
    const parts: StridedPart[] = [
      zeros(0, from),
      { shape: box, from: { ...own, input: 0 }, to: whole },
      zeros(from + length, n - from - length),
    ];
    return [runOne(stridedCopy, { parts }, [upstream.tensor], { shape, dtype })];
  });
}

// Sums and means along dimensions, with gradients.
import { isRecording, record } from '../core/autograd.ts';
import { calling } from '../core/calling.ts';
import { describe } from '../core/describe.ts';
import { runOne } from '../core/dispatcher.ts';
import { OptionError } from '../core/errors.ts';
import { pointwise, type PointwiseOp } from '../kernels/pointwise/plan.ts';
import { reduceDims, view } from '../kernels/reduce/sum-to.ts';
import { normalizeDim, sizeOf } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkOut, checkTensors } from '../core/validate.ts';
import { checkBoolean, checkOptionNames } from '../core/validate-options.ts';

/** Options of `sum`, `mean` and `logsumexp`. */
export interface ReduceOptions {
  /** Dimensions to add up; all by default, and for an empty array. */
  dim?: number | readonly number[];
  /** Whether they stay, as 1. Defaults to false. */
  keepdim?: boolean;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

/** The gradient of a sum: each element gets the upstream gradient of its sum, times a factor. */
const spread: PointwiseOp = {
  name: 'spread',
  params: { names: [] },
  inputs: ['g'],
  results: 1,
  body: '  return Results(g * u.scale);',
  reference: ([g = NaN], r, _p, _index, scale) => {
    r[0] = g * scale;
  },
};

function reduce(op: 'sum' | 'mean', x: Tensor, options: ReduceOptions): Tensor {
  checkOptionNames(op, options, ['dim', 'keepdim', 'out']);
  const device = checkTensors(op, { x });
  const { dim, keepdim = false, out } = options;
  checkBoolean(op, 'keepdim', keepdim);
  const dims = dimsOf(op, dim, x.rank);
  const kept = x.shape.map((d, i) => (dims.includes(i) ? 1 : d));
  const shape = keepdim ? kept : x.shape.filter((_, i) => !dims.includes(i));
  checkOut(op, out, { device, dtype: x.dtype, shape }, isRecording([x]));
  const count = op === 'mean' ? sizeOf(x.shape.filter((_, i) => dims.includes(i))) : 1;
  const target = out && view(out, kept);
  const reduced = calling(op, () => reduceDims(x, dims, count, target));
  const output = out ?? view(reduced, shape);
  reduced.dispose();
  const like = x.like();
  const whole = x.shape;
  return record(output, op, [x], [], (upstream) => {
    const grad = view(upstream.tensor, kept);
    const spreadOut = runOne(
      pointwise,
      { op: spread, params: {}, shape: whole, scale: 1 / count },
      [grad],
      like,
    );
    grad.dispose();
    return [spreadOut];
  });
}

/** @internal The dimensions that are named: all for none, and for an empty list. */
export function dimsOf(op: string, dim: unknown, rank: number): number[] {
  const list: unknown[] = Array.isArray(dim) ? dim : [dim];
  if (dim === undefined || list.length === 0) return Array.from({ length: rank }, (_, d) => d);
  const dims = list.map((d) => {
    if (typeof d !== 'number') {
      throw new OptionError({
        op,
        argument: 'dim',
        expected: 'a number or an array of them',
        received: describe(dim),
      });
    }
    return normalizeDim(op, d, rank);
  });
  if (new Set(dims).size < dims.length) {
    throw new OptionError({
      op,
      argument: 'dim',
      expected: 'each dimension once',
      received: describe(dim),
    });
  }
  return rank === 0 ? [] : dims;
}

/**
 * The sum of the elements, or along `dim`.
 *
 * @example sum(x)
 */
export function sum(x: Tensor, options: ReduceOptions = {}): Tensor {
  return reduce('sum', x, options);
}

/**
 * The mean of the elements, or along `dim`; NaN of none.
 *
 * @example mean(x, { dim: 1 })
 */
export function mean(x: Tensor, options: ReduceOptions = {}): Tensor {
  return reduce('mean', x, options);
}

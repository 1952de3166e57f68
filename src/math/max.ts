// The largest element, along a dimension or of all, and where it is; with gradient.
import { isRecording, record } from '../core/autograd.ts';
import { calling } from '../core/calling.ts';
import { run, runOne, type Output } from '../core/dispatcher.ts';
import { ShapeError } from '../core/errors.ts';
import { formatShape, normalizeDim, rowLayout, type RowLayout, type Shape } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkOut, checkTensors } from '../core/validate.ts';
import { checkBoolean, checkNumber, checkOptionNames } from '../core/validate-options.ts';
import { pointwise, type PointwiseOp } from '../kernels/pointwise/plan.ts';
import { rowMax } from '../kernels/row-reduce/max.ts';
import { rowReduce, type RowResult } from '../kernels/row-reduce/plan.ts';
import { scatterRows } from '../kernels/row-reduce/scatter.ts';
import { bits, div } from '../shader/lib.ts';
import { source } from '../shader/link.ts';

/** Options of `argmax`. */
export interface ArgmaxOptions {
  /** The dimension along which to look; negative ones count from the end. All elements by default. */
  dim?: number;
  /** Whether the dimension stays, as 1. Defaults to false. */
  keepdim?: boolean;
  /** Written instead of a new tensor; int32. */
  out?: Tensor;
}

/** Options of `max`. */
export interface MaxOptions {
  /** The dimension along which to look; negative ones count from the end. */
  dim: number;
  /** Whether it stays, as 1. Defaults to false. */
  keepdim?: boolean;
}

/** The rows that are looked at, and the shape of what is found. */
interface Rows {
  readonly layout: RowLayout;
  readonly shape: Shape;
}

function rowsOf(op: string, x: Tensor, dim: unknown, keepdim: unknown): Rows {
  checkTensors(op, { x });
  checkBoolean(op, 'keepdim', keepdim);
  if (dim !== undefined) checkNumber(op, 'dim', dim, { integer: true });
  const at = dim === undefined ? undefined : normalizeDim(op, dim as number, x.rank);
  const layout = at === undefined ? { outer: 1, n: x.size, inner: 1 } : rowLayout(x.shape, at);
  if (layout.n === 0) {
    throw new ShapeError({
      op,
      argument: 'x',
      expected: at === undefined ? 'at least one element' : `elements along dimension ${at}`,
      received: `shape ${formatShape(x.shape)}`,
    });
  }
  const one = (_: number, d: number): boolean => at === undefined || d === at;
  const shape = keepdim
    ? x.shape.map((d, i) => (one(d, i) ? 1 : d))
    : x.shape.filter((d, i) => !one(d, i));
  return { layout, shape };
}

const find = (
  op: string,
  x: Tensor,
  layout: RowLayout,
  outputs: readonly (readonly [RowResult, Output])[],
): [Tensor, ...Tensor[]] =>
  calling(op, () =>
    run(
      rowReduce,
      { op: rowMax, layout, results: outputs.map(([result]) => result) },
      [x],
      outputs.map(([, output]) => output),
    ),
  );

/**
 * The index of the largest element, along `dim` or among all in row-major order: an int32 tensor. The first of equal ones; NaN
 * counts as larger than all numbers, as in PyTorch. Throws `ShapeError` where there is no element. No gradient.
 *
 * @example argmax(tensor([[1, 5, 2], [9, 0, 9]]), { dim: 1 }) // [1, 0]
 */
export function argmax(x: Tensor, options: ArgmaxOptions = {}): Tensor {
  checkOptionNames('argmax', options, ['dim', 'keepdim', 'out']);
  const { dim, keepdim = false, out } = options;
  const { layout, shape } = rowsOf('argmax', x, dim, keepdim);
  checkOut('argmax', out, { device: x.device, dtype: 'int32', shape }, false);
  const [found] = find('argmax', x, layout, [['index', out ?? { shape, dtype: 'int32' }]]);
  return found;
}

const equality = /* @__PURE__ */ source(
  'max',
  `//#include "lib/bits.wgsl"
//#include "lib/div.wgsl"
fn is_largest(x: f32, most: f32) -> bool { return (x == most) | (is_nan(x) & is_nan(most)); }`,
  [bits, div],
);
const isLargest = (x: number, most: number): boolean =>
  x === most || (Number.isNaN(x) && Number.isNaN(most));

/** 1 for each element that is equal to the largest, to be summed. */
const count: PointwiseOp = {
  name: 'max',
  source: equality,
  params: { names: [] },
  inputs: ['x', 'most'],
  results: 1,
  body: '  return Results(select(0.0, 1.0, is_largest(x, most)));',
  reference: ([x = NaN, most = NaN], r) => {
    r[0] = isLargest(x, most) ? 1 : 0;
  },
};

const distribute: PointwiseOp = {
  name: 'max',
  source: equality,
  params: { names: [] },
  inputs: ['x', 'most', 'g', 'number'],
  results: 1,
  body: '  return Results(select(0.0, nl_divide(g, number), is_largest(x, most)));',
  reference: ([x = NaN, most = NaN, g = NaN, number = NaN], r) => {
    r[0] = isLargest(x, most) ? g / number : 0;
  },
};

/** The largest of all elements, whose gradient is shared by all that are equal to it. */
function largest(x: Tensor, shape: Shape, layout: RowLayout): Tensor {
  const [values] = find('max', x, layout, [['value', { shape, dtype: x.dtype }]]);
  const like = x.like();
  return record(values, 'max', [x], [x, values], (upstream, [saved, most]) => {
    if (!saved || !most) return [];
    const args = { params: {}, shape: like.shape };
    const number = runOne(pointwise, { ...args, op: count, sum: 1 }, [saved, most], {
      shape: [],
      dtype: 'float32',
    });
    const grad = runOne(
      pointwise,
      { ...args, op: distribute },
      [saved, most, upstream.tensor, number],
      like,
    );
    number.dispose();
    return [grad];
  });
}

/** The largest of all elements, as a tensor of shape []; NaN if there is one. */
export function max(x: Tensor): Tensor;
/** The largest elements along `dim`, and their indices (int32): the first of equal ones. */
export function max(x: Tensor, options: MaxOptions): { values: Tensor; indices: Tensor };
/**
 * The largest of all elements; with `dim` the largest along a dimension and where they are, `{ values, indices }`. NaN counts
 * as larger than all numbers. Throws `ShapeError` where there is no element. Gradient, as PyTorch: of all elements, shared by
 * those that are equal to the largest; along a dimension, to the element that `indices` names.
 *
 * @example max(tensor([[1, 5], [9, 0]]), { dim: 1 }).values // [5, 9]
 */
export function max(
  x: Tensor,
  options: Partial<MaxOptions> = {},
): Tensor | { values: Tensor; indices: Tensor } {
  checkOptionNames('max', options, ['dim', 'keepdim']);
  const { dim, keepdim = false } = options;
  const { layout, shape } = rowsOf('max', x, dim, keepdim);
  if (dim === undefined) return largest(x, shape, layout);
  const [values, indices] = find('max', x, layout, [
    ['value', { shape, dtype: x.dtype }],
    ['index', { shape, dtype: 'int32' }],
  ]);
  if (!indices) throw new RangeError('two results');
  const like = x.like();
  if (isRecording([x])) {
    record(values, 'max', [x], [indices], (upstream, [at]) =>
      at ? [runOne(scatterRows, layout, [upstream.tensor, at], like)] : [],
    );
  }
  return { values, indices };
}

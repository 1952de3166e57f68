// The logarithm of a sum of exponentials along dimensions, with gradient.
import { isRecording, record } from '../core/autograd.ts';
import { calling } from '../core/calling.ts';
import { run, runOne } from '../core/dispatcher.ts';
import { sizeOf, type RowLayout, type Shape } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkOut, checkTensors } from '../core/validate.ts';
import { checkBoolean, checkOptionNames } from '../core/validate-options.ts';
import { pointwise, type PointwiseOp } from '../kernels/pointwise/plan.ts';
import { view } from '../kernels/reduce/sum-to.ts';
import { rowLogSumExp } from '../kernels/row-reduce/log-sum-exp.ts';
import { rowReduce } from '../kernels/row-reduce/plan.ts';
import { exp } from '../shader/lib.ts';
import { source } from '../shader/link.ts';
import { filled } from './factories.ts';
import { permute } from './permute.ts';
import { dimsOf, type ReduceOptions } from './reduce.ts';

/** The gradient: the softmax of the row times the upstream gradient. From two parts of the result, so that nothing cancels. */
const spread: PointwiseOp = {
  name: 'logsumexp',
  source: /* @__PURE__ */ source('logsumexp', '//#include "lib/exp.wgsl"\n', [exp]),
  params: { names: [] },
  inputs: ['x', 'row_max', 'log_sum', 'g'],
  results: 1,
  body: '  return Results(nl_exp_times(g, (x - row_max) - log_sum, 0.0));',
  reference: ([x = NaN, rowMax = NaN, logSum = NaN, g = NaN], r) => {
    r[0] = g * Math.exp(x - rowMax - logSum);
  },
};

/**
 * log Σ e^x along `dim`, one dimension or several, by default all; computed from the maximum, so that it is finite wherever the
 * result is. Rows of -Infinity, and rows without elements, give -Infinity; one with +Infinity gives that. Gradient: the softmax
 * of x times gradOutput; as in PyTorch NaN in a row of -Infinity, and for an element of +Infinity.
 *
 * @example logsumexp(tensor([[0, 0], [1000, 1000]]), { dim: 1 }) // [0.6931472, 1000.6931]
 */
export function logsumexp(x: Tensor, options: ReduceOptions = {}): Tensor {
  checkOptionNames('logsumexp', options, ['dim', 'keepdim', 'out']);
  const device = checkTensors('logsumexp', { x });
  const { dim, keepdim = false, out } = options;
  checkBoolean('logsumexp', 'keepdim', keepdim);
  const dims = dimsOf('logsumexp', dim, x.rank).sort((a, b) => a - b);
  const others = x.shape.flatMap((_, d) => (dims.includes(d) ? [] : [d]));
  const shape = keepdim
    ? x.shape.map((d, i) => (dims.includes(i) ? 1 : d))
    : others.map((d) => x.shape[d] ?? 1);
  checkOut('logsumexp', out, { device, dtype: x.dtype, shape }, isRecording([x]));
  return calling('logsumexp', () => {
    const [first = 0, last = x.rank - 1] = [dims[0], dims.at(-1)];
    if (last - first < dims.length) {
      const outer = sizeOf(x.shape.slice(0, first));
      const n = sizeOf(x.shape.slice(first, last + 1));
      return ofRows(x, { outer, n, inner: sizeOf(x.shape.slice(last + 1)) }, shape, out);
    }
    const moved = permute(x, [...others, ...dims]);
    const outer = sizeOf(shape);
    return ofRows(
      moved,
      { outer, n: sizeOf(dims.map((d) => x.shape[d] ?? 1)), inner: 1 },
      shape,
      out,
    );
  });
}

/** Of x seen as [outer, n, inner]. */
function ofRows(x: Tensor, layout: RowLayout, shape: Shape, out: Tensor | undefined): Tensor {
  const { outer, n, inner } = layout;
  const like = x.like();
  if (n === 0) {
    const none = filled('logsumexp', x.device, -Infinity, out ?? { shape, dtype: x.dtype });
    return record(none, 'logsumexp', [x], [], () => [filled('logsumexp', x.device, 0, like)]);
  }
  const result = out ?? { shape, dtype: x.dtype };
  const args = { op: rowLogSumExp, layout };
  if (!isRecording([x])) return runOne(rowReduce, { ...args, results: ['value'] }, [x], result);
  const part = { shape: [outer, 1, inner], dtype: 'float32' } as const;
  const [output, rowMax, logSum] = run(
    rowReduce,
    { ...args, results: ['value', 'row_max', 'log_sum'] },
    [x],
    [result, part, part],
  );
  if (!rowMax || !logSum) throw new RangeError('three results');
  const recorded = record(output, 'logsumexp', [x], [x, rowMax, logSum], (upstream, saved) => {
    const [own, ...parts] = saved;
    if (!own) return [];
    const rows = view(own, [outer, n, inner]);
    const g = view(upstream.tensor, part.shape);
    const grad = runOne(
      pointwise,
      { op: spread, params: {}, shape: rows.shape },
      [rows, ...parts, g],
      { shape: rows.shape, dtype: like.dtype },
    );
    const shaped = view(grad, like.shape);
    for (const tensor of [rows, g, grad]) tensor.dispose();
    return [shaped];
  });
  rowMax.dispose();
  logSum.dispose();
  return recorded;
}

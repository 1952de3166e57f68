// The cross-entropy of rows of scores with rows of relevances, some items of which are left out.
import { isRecording, noGrad, record } from '../core/autograd.ts';
import { runOne } from '../core/dispatcher.ts';
import { rowLayout } from '../core/shape.ts';
import { Tensor } from '../core/tensor.ts';
import {
  checkDevice,
  checkOut,
  checkRank,
  checkShapeIs,
  checkTensor,
  checkTensors,
} from '../core/validate.ts';
import { checkOneOf } from '../core/validate-options.ts';
import { nonzero, overCount } from '../define/counts.ts';
import { gradientsInBackward, gradientsInForward } from '../define/in-forward.ts';
import { lossModule } from '../define/module.ts';
import { defineOp } from '../define/op.ts';
import { resolveParams } from '../define/params.ts';
import { warmUp } from '../define/prepare.ts';
import { REDUCTIONS, type Reduction } from '../define/reduction.ts';
import { pointwise, type PointwiseOp } from '../kernels/pointwise/plan.ts';
import { reduceDims, view } from '../kernels/reduce/sum-to.ts';
import { logSoftmax } from '../rowwise/log-softmax.ts';

/** Options of `listNetLoss`. */
export interface ListNetLossOptions {
  /** int32, of the input's shape: items that are 0 are left out, whatever they hold. All count by default. */
  where?: Tensor;
  /** `'mean'` (default) over the lists with an item, `'sum'`, or `'none'` for the loss of each list. */
  reduction?: Reduction;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

const NAME = 'listNetLoss';
const common = { name: NAME, params: { names: [] }, results: 1 };

/** -t log q, of an item that counts. */
const term = (masked: boolean): PointwiseOp => ({
  ...common,
  inputs: ['log_q', 't', ...(masked ? ['kept'] : [])],
  body: `  return Results(${masked ? 'select(0.0, -t * log_q, kept != 0)' : '-t * log_q'});`,
  reference: ([logQ = NaN, t = NaN, kept = 1], r) => {
    r[0] = kept === 0 ? 0 : -t * logQ;
  },
});
/** Its gradient; over the number of lists, where that is counted. */
const slope = (masked: boolean, counted: boolean): PointwiseOp => {
  const g = counted ? '(grad_output * u.scale / max(lists, 1.0))' : '(grad_output * u.scale)';
  return {
    ...common,
    inputs: ['t', 'grad_output', ...(masked ? ['kept'] : []), ...(counted ? ['lists'] : [])],
    body: `  return Results(${masked ? `select(0.0, -t * ${g}, kept != 0)` : `-t * ${g}`});`,
    reference: ([t = NaN, above = NaN, kept = 1, lists = 1], r, _p, _i, scale) => {
      r[0] = kept === 0 ? 0 : (-t * above * scale) / Math.max(lists, 1);
    },
  };
};
const TERMS = { plain: /* @__PURE__ */ term(false), masked: /* @__PURE__ */ term(true) };
const SLOPES = {
  plain: /* @__PURE__ */ slope(false, false),
  masked: /* @__PURE__ */ slope(true, false),
  counted: /* @__PURE__ */ slope(true, true),
};
const some = /* @__PURE__ */ nonzero(NAME, 'counts');
const someOfMask = /* @__PURE__ */ nonzero(NAME, 'mask');
const divide = /* @__PURE__ */ overCount(NAME);

/** How many lists have an item that counts: a scalar. */
function listsOf(kept: Tensor): Tensor {
  const args = { params: {}, shape: kept.shape };
  const float = { shape: kept.shape, dtype: 'float32' } as const;
  const items = runOne(pointwise, { ...args, op: someOfMask }, [kept], float);
  const lengths = reduceDims(items, [kept.rank - 1], 1);
  const count = runOne(
    pointwise,
    { op: some, params: {}, shape: lengths.shape, sum: 1 },
    [lengths],
    { shape: [], dtype: 'float32' },
  );
  items.dispose();
  lengths.dispose();
  return count;
}

function apply(input: Tensor, target: Tensor, options: ListNetLossOptions = {}): Tensor {
  resolveParams(NAME, {}, ['where', 'reduction', 'out'], options);
  const { where: kept, reduction = 'mean', out } = options;
  checkOneOf(NAME, 'reduction', reduction, REDUCTIONS);
  const device = checkTensors(NAME, { input, target });
  checkRank(NAME, { input }, 1);
  const { shape, dtype } = input;
  checkShapeIs(NAME, 'target', target, shape);
  if (kept !== undefined) {
    checkTensor(NAME, 'where', kept, ['int32']);
    checkDevice(NAME, 'where', kept, device);
    checkShapeIs(NAME, 'where', kept, shape);
  }
  const recording = isRecording([input]);
  const reduced = reduction !== 'none';
  const rowShape = shape.slice(0, -1);
  const like = { device, dtype, shape: reduced ? [] : rowShape };
  checkOut(NAME, out, like, recording);
  const last = shape.length - 1;
  const { outer: rows } = rowLayout(shape, last);
  // The mean of no lists is 0.
  const divisor = reduction === 'mean' && !kept ? Math.max(shape[last] === 0 ? 1 : rows, 1) : 1;

  const compute = ([x]: readonly Tensor[], [t, mask]: readonly Tensor[]): [Tensor] => {
    if (!x || !t) throw new RangeError('two tensors');
    const masked = mask ? { mask } : {};
    const logQ = logSoftmax.into(x, { dim: -1, ...masked }, 'float32');
    const counted = mask && reduction === 'mean' ? noGrad(() => listsOf(mask)) : undefined;
    const operands = [logQ, t, ...(mask ? [mask] : [])];
    const args = { op: mask ? TERMS.masked : TERMS.plain, params: {}, shape };
    const loss = noGrad(() => {
      const to = recording ? like : (out ?? like);
      if (reduced && !counted) return runOne(pointwise, { ...args, sum: divisor }, operands, to);
      const whole = reduced ? { sum: 1, shape } : { shape };
      const wide = { shape: reduced ? [] : shape, dtype: 'float32' } as const;
      const terms = runOne(pointwise, { ...args, ...whole }, operands, wide);
      if (counted) {
        const mean = runOne(pointwise, { op: divide, params: {}, shape: [] }, [terms, counted], to);
        terms.dispose();
        return mean;
      }
      const sums = reduceDims(terms, [last], 1, to instanceof Tensor ? to : { dtype });
      terms.dispose();
      if (sums === out) return sums;
      const losses = view(sums, rowShape);
      sums.dispose();
      return losses;
    });
    const saved = [t, ...(mask ? [mask] : []), ...(counted ? [counted] : [])];
    const recorded = record(loss, NAME, [logQ], saved, (upstream, [ts, ...others]) => {
      if (!ts) return [];
      const g = reduced ? upstream.tensor : view(upstream.tensor, [...rowShape, 1]);
      const op = mask ? (counted ? SLOPES.counted : SLOPES.masked) : SLOPES.plain;
      const args = { op, params: {}, shape, scale: 1 / divisor };
      const grads = runOne(pointwise, args, [ts, g, ...others], { shape, dtype: 'float32' });
      if (g !== upstream.tensor) g.dispose();
      return [grads];
    });
    logQ.dispose();
    counted?.dispose();
    return [recorded];
  };
  const composed = {
    op: NAME,
    inputs: [input],
    constants: kept ? [target, kept] : [target],
    compute,
  };
  if (reduced) return gradientsInForward(composed)[0];
  const [result] = noGrad(() => compute([input], composed.constants));
  return recording ? gradientsInBackward(result, composed) : result;
}

/**
 * ListNet's loss of scores and relevances [..., L], the last dimension a list: -Σ target · log_softmax(input) over the items
 * that `where` (int32) does not leave out. By default the mean over the lists with such an item, 0 if there are none. The
 * gradient is that of the input. As optax.losses.ranking_softmax_loss.
 *
 * @example listNetLoss(scores, relevances, { where: isItem })
 */
export const listNetLoss = /* @__PURE__ */ defineOp(apply, {
  op: NAME,
  kind: 'loss',
  params: {},
  reductions: REDUCTIONS,
  accuracy: { forward: 8, backward: 8 },
  docs: {
    tex: String.raw`-\sum_i y_i \log \frac{e^{x_i}}{\sum_j e^{x_j}}`,
    derivative: String.raw`\mathrm{softmax}(x)_i \sum_j y_j - y_i`,
    range: String.raw`(-\infty, \infty)`,
    shapes:
      'input, target and where (int32) [..., L]; result: a scalar, or [...] with reduction `none`',
    cite: 'Cao, Qin, Liu, Tsai & Li 2007, Learning to Rank: From Pairwise Approach to Listwise Approach; optax ranking_softmax_loss',
    use: 'For search results, where the order of a list counts. The target is the relevance of each item, best given as probabilities (softmax of the grades). All places of the list count, not only the first ones. Lists with large relevances count more than others.',
  },
  prepare: (device, dtype) => {
    for (const reduction of REDUCTIONS) {
      warmUp(device, dtype, [[1, 2]], (x) => apply(x, x.detach(), { reduction }));
    }
  },
});

/** `listNetLoss` as a module; `where` is an option. */
export class ListNetLoss extends /* @__PURE__ */ lossModule(listNetLoss) {}

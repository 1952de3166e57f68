// The cross-entropy of rows of scores with rows of relevances, some items of which are left out.
import wgsl from '../../shaders/losses/list-net.wgsl?raw';
import { isRecording } from '../core/autograd.ts';
import { runOne } from '../core/dispatcher.ts';
import { sizeOf } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkBeside, checkOut, checkRank, checkShapeIs, checkTensors } from '../core/validate.ts';
import { checkOneOf } from '../core/validate-options.ts';
import { keptOf, nonzero } from '../define/counts.ts';
import { recordComposed } from '../define/in-forward.ts';
import { lossModule } from '../define/module.ts';
import { defineOp } from '../define/op.ts';
import { resolveParams } from '../define/params.ts';
import { warmUp } from '../define/prepare.ts';
import { REDUCTIONS, type Reduction } from '../define/reduction.ts';
import { defineTerms } from '../define/terms.ts';
import { pointwise } from '../kernels/pointwise/plan.ts';
import { reduceDims } from '../kernels/reduce/sum-to.ts';
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
const items = /* @__PURE__ */ defineTerms({
  name: NAME,
  wgsl,
  params: { names: [] },
  inputs: ['logQ', 'target'],
  forward: ([logQ = NaN, target = NaN]) => -target * logQ,
  backward: ([, target = NaN], gradOutput) => -target * gradOutput,
});
const isKept = /* @__PURE__ */ nonzero(NAME, 'mask');
const isSome = /* @__PURE__ */ nonzero(NAME, 'counts');

/** How many lists have an item that counts: a scalar. */
function listsOf(kept: Tensor): Tensor {
  const lengths = reduceDims(kept, [kept.rank - 1], 1);
  const args = { op: isSome, params: {}, shape: lengths.shape, sum: 1 };
  const lists = runOne(pointwise, args, [lengths], { shape: [], dtype: 'float32' });
  lengths.dispose();
  return lists;
}

function apply(input: Tensor, target: Tensor, options: ListNetLossOptions = {}): Tensor {
  resolveParams(NAME, {}, ['where', 'reduction', 'out'], options);
  const { where, reduction = 'mean', out } = options;
  checkOneOf(NAME, 'reduction', reduction, REDUCTIONS);
  const device = checkTensors(NAME, { input, target });
  checkRank(NAME, { input }, 1);
  const { shape, dtype } = input;
  checkShapeIs(NAME, 'target', target, shape);
  if (where !== undefined) checkBeside(NAME, 'where', where, input, shape, 'int32');
  const reduced = reduction !== 'none';
  const like = { device, dtype, shape: reduced ? [] : shape.slice(0, -1) };
  checkOut(NAME, out, like, isRecording([input]));
  const mean = reduction === 'mean';
  // The mean of no lists is 0.
  const lists = shape.at(-1) === 0 ? 1 : Math.max(sizeOf(shape.slice(0, -1)), 1);

  const compute = ([x]: readonly Tensor[], [t, mask]: readonly Tensor[]): [Tensor] => {
    if (!x || !t) throw new RangeError('two tensors');
    const logQ = logSoftmax.into(x, { dim: -1, ...(mask ? { mask } : {}) }, 'float32');
    const kept = mask && keptOf(isKept, mask);
    const count = kept && mean ? listsOf(kept) : undefined;
    const loss = items({
      params: {},
      tensors: [logQ, t],
      kept,
      count,
      over: reduced ? 'all' : 'rows',
      divisor: mean && !mask ? lists : 1,
      to: out ?? like,
    });
    for (const tensor of [logQ, kept, count]) tensor?.dispose();
    return [loss];
  };
  const constants = where ? [target, where] : [target];
  return recordComposed({ op: NAME, inputs: [input], constants, compute }, reduced);
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

// Group relative policy optimisation: a clipped loss of tokens, some of them masked, in rows that are averaged.
import wgsl from '../../shaders/losses/grpo.wgsl?raw';
import { isRecording, noGrad } from '../core/autograd.ts';
import { runOne } from '../core/dispatcher.ts';
import { OptionError } from '../core/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkBeside, checkOut, checkRank, checkShapeIs, checkTensors } from '../core/validate.ts';
import { checkNumber } from '../core/validate-options.ts';
import { expRest } from '../cpu/special.ts';
import { keptOf, nonzero, overCount } from '../define/counts.ts';
import { optionsFor } from '../define/module.ts';
import { defineOp } from '../define/op.ts';
import { defaultsOf, derivedFrom, layoutOf, resolveParams, withDerived } from '../define/params.ts';
import { CLIP_DERIVED, CLIP_SPECS, clippedRatio, clippedRatioGrad } from '../define/policy.ts';
import { warmUp } from '../define/prepare.ts';
import { defineTerms } from '../define/terms.ts';
import { pointwise } from '../kernels/pointwise/plan.ts';
import { reduceDims, view } from '../kernels/reduce/sum-to.ts';
import { Module } from '../nn/module.ts';
import { clippedRatio as clippedRatioText, exp, expm1 } from '../shader/lib.ts';
import type { ParamValues } from '../shader/params.ts';

/** Options of `grpoLoss`. */
export interface GRPOLossOptions {
  /** The least ratio is 1 - epsLow: from 0 to below 1. Defaults to 0.2. */
  epsLow?: number;
  /** The largest ratio is 1 + epsHigh, at least 1. Defaults to 0.2. */
  epsHigh?: number;
  /** The weight of the divergence from `refLogProbs`, which it needs. At least 0; defaults to 0. */
  beta?: number;
  /** How tokens become one loss; see `grpoLoss`. Defaults to `'grpo'`. */
  lossType?: 'grpo' | 'bnpo' | 'dapo' | 'dr_grpo';
  /** Whether each token has a ratio of its own (default), or a sequence has one: e to the mean of its log-ratios. */
  importanceSamplingLevel?: 'token' | 'sequence';
  /** What `'dr_grpo'` divides by, beside the rows. Above 0; required there, else not used. */
  maxCompletionLength?: number;
  /** Log-probabilities that a reference gives to the tokens. */
  refLogProbs?: Tensor;
  /** int32: the tokens that are not 0 count. All by default. */
  mask?: Tensor;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

const NAME = 'grpoLoss';
const SPECS = {
  ...CLIP_SPECS,
  beta: { default: 0, min: 0 },
  lossType: { choices: ['grpo', 'bnpo', 'dapo', 'dr_grpo'] },
  importanceSamplingLevel: { choices: ['token', 'sequence'] },
} as const;
/** The index of `dr_grpo`. */
const BY_LENGTH = 3;

const tokens = /* @__PURE__ */ defineTerms({
  name: NAME,
  wgsl,
  includes: [clippedRatioText, exp, expm1],
  params: /* @__PURE__ */ withDerived(/* @__PURE__ */ layoutOf(SPECS), CLIP_DERIVED),
  inputs: ['logProbs', 'oldLogProbs', 'advantages'],
  optional: ['refLogProbs'],
  forward: (elements, params) => {
    const { ratio, a, k, beta, limits } = tokenOf(elements, params);
    return clippedRatio(ratio, a, limits) + (beta === 0 ? 0 : beta * expRest(k));
  },
  backward: (elements, gradOutput, params) => {
    const { ratio, a, k, beta, limits } = tokenOf(elements, params);
    const slope = clippedRatioGrad(ratio, a, limits) - (beta === 0 ? 0 : beta * Math.expm1(k));
    return slope * gradOutput;
  },
});

function tokenOf([x = NaN, old = NaN, a = NaN, ref = NaN]: readonly number[], params: ParamValues) {
  const { importanceSamplingLevel, beta = 0, epsLow = 0, epsHigh = 0 } = params;
  const ratio = importanceSamplingLevel === 1 ? old : x - old;
  return { ratio, a, k: ref - x, beta, limits: { epsLow, epsHigh } };
}

const isKept = /* @__PURE__ */ nonzero(NAME, 'mask');
const mean = /* @__PURE__ */ overCount(NAME);
const logRatios = /* @__PURE__ */ defineTerms({
  name: NAME,
  wgsl: `fn term(x: f32, old: f32, p: Params) -> f32 { return x - old; }
fn term_grad(x: f32, old: f32, grad_output: f32, p: Params) -> f32 { return grad_output; }`,
  params: { names: [] },
  inputs: ['x', 'old'],
  forward: ([x = NaN, old = NaN]) => x - old,
  backward: (_, gradOutput) => gradOutput,
});

/** The mean of the log-ratios of each row [B, 1], of the tokens that are kept. */
function meanRatios(x: Tensor, old: Tensor, kept?: Tensor, lengths?: Tensor): Tensor {
  const [rows = 0, length = 0] = x.shape;
  const divisor = kept ? 1 : Math.max(length, 1);
  const to = { shape: [rows], dtype: 'float32' } as const;
  const call = { params: {}, tensors: [x, old], kept, over: 'rows', divisor, to } as const;
  const sums = noGrad(() => logRatios(call));
  const column = view(sums, [rows, 1]);
  sums.dispose();
  if (!lengths) return column;
  const args = { op: mean, params: {}, shape: column.shape };
  const means = runOne(pointwise, args, [column, lengths], column.like());
  column.dispose();
  return means;
}

function apply(
  logProbs: Tensor,
  oldLogProbs: Tensor,
  advantages: Tensor,
  options: GRPOLossOptions = {},
): Tensor {
  const own = ['maxCompletionLength', 'refLogProbs', 'mask', 'out'];
  const given = resolveParams(NAME, SPECS, own, options);
  const { maxCompletionLength, refLogProbs, mask, out } = options;
  const { beta, lossType, importanceSamplingLevel } = given;
  if (maxCompletionLength !== undefined || lossType === BY_LENGTH) {
    checkNumber(NAME, 'maxCompletionLength', maxCompletionLength, { min: 0, above: true });
  }
  const device = checkTensors(NAME, { logProbs, oldLogProbs, advantages });
  checkRank(NAME, { logProbs }, 2);
  const { shape, dtype } = logProbs;
  const [rows = 0, length = 0] = shape;
  checkShapeIs(NAME, 'logProbs', logProbs, [rows, length]);
  checkShapeIs(NAME, 'oldLogProbs', oldLogProbs, shape);
  checkShapeIs(NAME, 'advantages', advantages, [rows]);
  if (refLogProbs !== undefined) {
    checkBeside(NAME, 'refLogProbs', refLogProbs, logProbs, shape);
  } else if (beta > 0) {
    const expected = 'a tensor, as beta is above 0';
    throw new OptionError({ op: NAME, argument: 'refLogProbs', expected, received: 'none' });
  }
  if (mask !== undefined) checkBeside(NAME, 'mask', mask, logProbs, shape, 'int32');
  const like = { device, dtype, shape: [] };
  checkOut(NAME, out, like, isRecording([logProbs]));

  const made: Tensor[] = [];
  const keep = (tensor: Tensor): Tensor => {
    made.push(tensor);
    return tensor;
  };
  const perRow = lossType === 0;
  const byLength = lossType === BY_LENGTH;
  const bySequence = importanceSamplingLevel === 1;
  const kept = mask && keep(keptOf(isKept, mask));
  const lengths = kept && (perRow || bySequence) ? keep(reduceDims(kept, [1], 1)) : undefined;
  const all = kept && !perRow && !byLength ? keep(reduceDims(kept, [0, 1], 1)) : undefined;
  const old = bySequence ? keep(meanRatios(logProbs, oldLogProbs, kept, lengths)) : oldLogProbs;
  // What the host knows of the divisor; the number of kept tokens is known where they are.
  const each = kept ? 1 : Math.max(length, 1);
  const known = perRow ? rows * each : kept ? 1 : Math.max(rows * length, 1);
  const loss = tokens({
    params: { ...given, ...derivedFrom(given, CLIP_DERIVED) },
    tensors: [logProbs, old, keep(view(advantages, [rows, 1])), beta > 0 ? refLogProbs : undefined],
    kept,
    count: perRow ? lengths : all,
    over: 'all',
    divisor: byLength ? rows * (maxCompletionLength ?? 1) : known,
    to: out ?? like,
  });
  for (const tensor of made) tensor.dispose();
  return loss;
}

/**
 * Group relative policy optimisation, of the log-probabilities [B, T] of the tokens of B answers, those when they were drawn,
 * and advantages [B]. Each token has the loss of `ppoClipLoss`, plus `beta` (0) times e^k - k - 1 with k = refLogProbs -
 * logProbs. Tokens whose `mask` is 0 count nowhere, whatever they hold. `lossType`: `'grpo'` (default) is the mean over the
 * tokens of each row, then over the rows; `'bnpo'` and `'dapo'` the mean over all tokens; `'dr_grpo'` the sum over B ·
 * maxCompletionLength. A row without tokens is 0, and so is the mean of none. Gradient of logProbs. As TRL's GRPOTrainer;
 * `importanceSamplingLevel: 'sequence'` is GSPO.
 *
 * @example grpoLoss(logProbs, oldLogProbs, advantages, { mask, refLogProbs, beta: 0.04 })
 */
export const grpoLoss = /* @__PURE__ */ defineOp(apply, {
  op: NAME,
  kind: 'loss',
  params: /* @__PURE__ */ defaultsOf(SPECS),
  specs: SPECS,
  reductions: [],
  accuracy: { forward: 6, backward: 6 },
  docs: {
    tex: String.raw`-\min\left(r A, \mathrm{clip}(r, 1 - \varepsilon_l, 1 + \varepsilon_h) A\right) + \beta (e^k - k - 1)\quad k = x_{\mathrm{ref}} - x`,
    derivative: String.raw`-r A - \beta (e^k - 1)`,
    range: String.raw`(-\infty, \infty)`,
    shapes:
      'logProbs, oldLogProbs, refLogProbs and mask (int32) [B, T], advantages [B]; result: a scalar',
    cite: 'Shao et al. 2024, DeepSeekMath; Yu et al. 2025, DAPO; Liu et al. 2025, Dr. GRPO; Zheng et al. 2025, GSPO; TRL GRPOTrainer',
    kinks: 'at the limits of the ratio the gradient is -r A',
    use: 'Trains a language model on rewards of whole answers, without a critic. The advantage of an answer is its reward minus the mean reward of its group. With lossType grpo, each token of a long answer counts less; with dapo all tokens count the same. A group in which all rewards are equal teaches nothing.',
  },
  prepare: (device, dtype) => {
    warmUp(device, dtype, [[1, 2], [1]], (x, advantages) =>
      apply(x, x.detach(), advantages.detach()),
    );
  },
});

/** `grpoLoss` as a module; `refLogProbs` and `mask` are given to `forward`. */
export class GRPOLoss extends Module<
  Tensor,
  [Tensor, Tensor, Tensor, Pick<GRPOLossOptions, 'refLogProbs' | 'mask'>?]
> {
  readonly #options: Omit<GRPOLossOptions, 'refLogProbs' | 'mask' | 'out'>;

  constructor(options?: Omit<GRPOLossOptions, 'refLogProbs' | 'mask' | 'out'>) {
    super();
    this.#options = optionsFor(NAME, options);
  }

  override forward(
    logProbs: Tensor,
    oldLogProbs: Tensor,
    advantages: Tensor,
    tensors: Pick<GRPOLossOptions, 'refLogProbs' | 'mask'> = {},
  ): Tensor {
    return grpoLoss(logProbs, oldLogProbs, advantages, { ...this.#options, ...tensors });
  }
}

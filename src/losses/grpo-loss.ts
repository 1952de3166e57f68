// Group relative policy optimisation: a clipped loss of tokens, some of them masked, in rows that are averaged.
import wgsl from '../../shaders/losses/grpo.wgsl?raw';
import { run, runOne } from '../core/dispatcher.ts';
import { OptionError } from '../core/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import {
  checkDevice,
  checkOut,
  checkRank,
  checkSameDType,
  checkShapeIs,
  checkTensor,
  checkTensors,
} from '../core/validate.ts';
import { checkNumber } from '../core/validate-options.ts';
import { expRest } from '../cpu/special.ts';
import { nonzero, overCount } from '../define/counts.ts';
import { planGradients, likesOf, recordFused } from '../define/fused-gradient.ts';
import { lossOps } from '../define/loss-ops.ts';
import { optionsFor } from '../define/module.ts';
import { defineOp } from '../define/op.ts';
import { defaultsOf, derivedFrom, layoutOf, resolveParams, withDerived } from '../define/params.ts';
import { CLIP_DERIVED, CLIP_SPECS, clippedRatio, clippedRatioGrad } from '../define/policy.ts';
import { warmUp } from '../define/prepare.ts';
import { pointwise, type PointwiseOp } from '../kernels/pointwise/plan.ts';
import { reduceDims, view } from '../kernels/reduce/sum-to.ts';
import { Module } from '../nn/module.ts';
import { clippedRatio as clippedRatioText, exp, expm1 } from '../shader/lib.ts';

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

const ops = /* @__PURE__ */ lossOps({
  name: NAME,
  wgsl,
  includes: [clippedRatioText, exp, expm1],
  params: /* @__PURE__ */ withDerived(/* @__PURE__ */ layoutOf(SPECS), CLIP_DERIVED),
  inputs: ['logProbs', 'oldLogProbs', 'advantages'],
  differentiable: ['logProbs'],
  weights: ['refLogProbs', 'kept', 'tokens'],
  weightBackward: null,
  forward: (...args) => {
    const { ratio, a, k, beta, kept, tokens, limits } = tokenOf(args);
    if (kept === 0) return 0;
    return (clippedRatio(ratio, a, limits) + (beta === 0 ? 0 : beta * expRest(k))) / tokens;
  },
  backward: (...args) => {
    const { ratio, a, k, beta, kept, tokens, limits } = tokenOf(args);
    if (kept === 0) return [0];
    const slope = clippedRatioGrad(ratio, a, limits) - (beta === 0 ? 0 : beta * Math.expm1(k));
    return [(slope * Number(args[6])) / tokens];
  },
});

function tokenOf(args: readonly unknown[]) {
  const [x = NaN, old = NaN, a = NaN, ref = NaN, kept = 1, tokens = 1] = args as number[];
  const params = args.at(-1) as Readonly<Record<string, number>>;
  const { importanceSamplingLevel, beta = 0, epsLow = 0, epsHigh = 0 } = params;
  const ratio = importanceSamplingLevel === 1 ? old : x - old;
  const limits = { epsLow, epsHigh };
  return { ratio, a, k: ref - x, beta, kept, tokens: Math.max(tokens, 1), limits };
}

/** 1 for a token that counts. */
const keptOp = /* @__PURE__ */ nonzero(NAME, 'mask');
/** The log-ratio of a token, 0 for one that does not count. */
const ratioOp: PointwiseOp = {
  name: NAME,
  params: { names: [] },
  inputs: ['x', 'old', 'kept'],
  results: 1,
  body: '  return Results(select(0.0, x - old, kept != 0.0));',
  reference: ([x = NaN, old = NaN, kept = 1], r) => {
    r[0] = kept === 0 ? 0 : x - old;
  },
};
const plainRatioOp: PointwiseOp = {
  ...ratioOp,
  inputs: ['x', 'old'],
  body: '  return Results(x - old);',
  reference: ([x = NaN, old = NaN], r) => {
    r[0] = x - old;
  },
};

const meanOp = /* @__PURE__ */ overCount(NAME);

/** What the tokens of a call need beside their own numbers. Those that are made here are disposed by `made`. */
function factsOf(
  [logProbs, oldLogProbs]: readonly [Tensor, Tensor],
  mask: Tensor | undefined,
  perRow: boolean,
  ofAll: boolean,
  bySequence: boolean,
) {
  const { shape } = logProbs;
  const [, length = 0] = shape;
  const made: Tensor[] = [];
  const keep = (tensor: Tensor): Tensor => {
    made.push(tensor);
    return tensor;
  };
  const float = { shape, dtype: 'float32' } as const;
  const kept = mask && keep(runOne(pointwise, { op: keptOp, params: {}, shape }, [mask], float));
  const lengths = kept && (perRow || bySequence) ? keep(reduceDims(kept, [1], 1)) : undefined;
  const all = kept && ofAll ? keep(reduceDims(kept, [0, 1], 1)) : undefined;
  let old = oldLogProbs;
  if (bySequence) {
    const op = kept ? ratioOp : plainRatioOp;
    const operands = [logProbs, oldLogProbs, ...(kept ? [kept] : [])];
    const ratios = keep(runOne(pointwise, { op, params: {}, shape }, operands, float));
    const total = keep(reduceDims(ratios, [1], lengths ? 1 : Math.max(length, 1)));
    const args = { op: meanOp, params: {}, shape: total.shape };
    old = lengths ? keep(runOne(pointwise, args, [total, lengths], total.like())) : total;
  }
  return { kept, tokens: perRow ? lengths : all, old, made };
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
    checkTensor(NAME, 'refLogProbs', refLogProbs);
    checkDevice(NAME, 'refLogProbs', refLogProbs, device);
    checkSameDType(NAME, 'refLogProbs', refLogProbs, dtype);
    checkShapeIs(NAME, 'refLogProbs', refLogProbs, shape);
  } else if (beta > 0) {
    const expected = 'a tensor, as beta is above 0';
    throw new OptionError({ op: NAME, argument: 'refLogProbs', expected, received: 'none' });
  }
  if (mask !== undefined) {
    checkTensor(NAME, 'mask', mask, ['int32']);
    checkDevice(NAME, 'mask', mask, device);
    checkShapeIs(NAME, 'mask', mask, shape);
  }
  const plan = planGradients([logProbs], 'mean');
  const like = { device, dtype, shape: [] };
  checkOut(NAME, out, like, plan.recording);

  const perRow = lossType === 0;
  const ofAll = lossType === 1 || lossType === 2;
  const bySequence = importanceSamplingLevel === 1;
  const facts = factsOf([logProbs, oldLogProbs], mask, perRow, ofAll, bySequence);
  const { kept, tokens, made } = facts;
  // What the host knows of the divisor; the number of kept tokens is known where they are.
  const each = perRow
    ? rows * (mask ? 1 : Math.max(length, 1))
    : mask
      ? 1
      : Math.max(rows * length, 1);
  const divisor = lossType === BY_LENGTH ? rows * (maxCompletionLength ?? 1) : each;
  const params = { ...given, ...derivedFrom(given, CLIP_DERIVED) };
  const compared = beta > 0 ? refLogProbs : undefined;
  const column = view(advantages, [rows, 1]);
  made.push(column);
  // Each tensor has the shape by which it is broadcast to the tokens.
  const operands = [
    logProbs,
    facts.old,
    column,
    ...[compared, kept, tokens].filter((t) => t !== undefined),
  ];
  const variant = {
    weightNeeds: [false, false, false],
    weighted: [compared, kept, tokens].map((tensor) => tensor !== undefined),
    divided: false,
  };
  const args = { params, shape, scale: 1 / divisor };
  const likes = likesOf([logProbs], plan.fused);
  const outputs = run(
    pointwise,
    { ...args, op: ops.forward({ needs: plan.fused, ...variant }), sum: divisor },
    operands,
    [out ?? like, ...likes],
  );
  const op = ops.backward({ needs: plan.needs, ...variant });
  const loss = recordFused({
    op: NAME,
    inputs: [logProbs],
    plan,
    operands,
    outputs,
    backward: (saved, gradOutput) =>
      run(
        pointwise,
        { ...args, op },
        [...saved, gradOutput],
        likesOf(saved.slice(0, 1), plan.needs),
      ),
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

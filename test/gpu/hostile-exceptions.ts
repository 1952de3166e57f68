// Takes a call with hostile values, and an element where the GPU differs from the float64 path, and gives whether it may,
// each with the reason.
import { catalog } from '../../src/catalog.ts';
import type { Call, TensorSpec, Values } from '../calls.ts';
import { HUGE } from '../hostile.ts';
import { scoreBound } from './attention-errors.ts';
import { KINKED, kinkBound } from './kinks.ts';
import { roundHalf } from '../ulp.ts';
import { logitBound } from './logit-errors.ts';
import { similarityBound, SIMILARITIES } from './similarity-errors.ts';

/** An element of a result (`out`) or of a tensor's gradient. */
export interface Difference {
  readonly name: string;
  readonly index: number;
  /** What the call's tensors are stored in. */
  readonly dtype: 'float32' | 'float16';
  readonly expected: number;
  readonly value: number;
}

interface Exception {
  readonly ops: readonly string[];
  readonly reason: string;
  readonly holds: (difference: Difference, call: Call) => boolean;
}

/**
 * Ops that compute with differences, products or sums of their inputs, which float32 does not hold where inputs are huge,
 * though what follows from them may be within it again. PyTorch's float32 gives infinities and NaN there as well.
 */
export const OVERFLOWING: Readonly<Record<string, string>> = {
  matmul: 'scalar products',
  linear: 'scalar products',
  linearCrossEntropy: 'scalar products',
  adaptiveLogSoftmaxWithLoss: 'scalar products',
  prelu: 'products of elements and upstream gradients, added up for the weight',
  add: 'gradients added up for a repeated operand',
  sub: 'gradients added up for a repeated operand',
  mul: 'products, added up for a repeated operand',
  div: 'quotients, added up for a repeated operand',
  reluSquared: 'squares, added up for the bias',
  pairwiseDistance: 'differences',
  tripletMarginLoss: 'differences',
  tripletMarginWithDistanceLoss: 'differences and products',
  cosineEmbeddingLoss: 'gradients of rows far apart in length',
  mseLoss: 'differences and squares',
  l1Loss: 'differences',
  smoothL1Loss: 'differences',
  huberLoss: 'differences',
  gaussianNllLoss: 'differences and squares',
  marginRankingLoss: 'differences, times a label of 0',
  hingeEmbeddingLoss: 'losses, added up',
  softMarginLoss: 'products of inputs and labels',
  poissonNllLoss: 'products of inputs and targets, and exponentials',
  klDiv: 'differences and products',
  jsd: 'differences',
  diceLoss: 'products and sums of elements that should be probabilities',
  binaryCrossEntropyWithLogits: 'products of logits and weights, added up',
  sigmoidFocalLoss: 'products of a cross-entropy and a slope',
  multiMarginLoss: 'sums of margins over classes, and squares',
  multilabelMarginLoss: 'sums of margins over classes',
  multilabelSoftMarginLoss: 'sums over classes',
  nllLoss: 'losses of both signs, added up',
  clipLoss: 'scalar products',
  sigLipLoss: 'scalar products',
  infoNceLoss: 'scalar products, without normalize',
  supConLoss: 'scalar products, without normalize',
  contrastiveLoss: 'differences and squares',
  charbonnierLoss: 'differences',
  logCoshLoss: 'differences',
  quantileLoss: 'differences times a share, before the share of a mean',
  epsilonInsensitiveLoss: 'differences',
  bprLoss: 'differences, before the share of a mean',
  barronLoss: 'quotients by the square of c, before the share of a mean',
  dpoLoss: 'differences times beta, before the share of smoothed labels',
  simpoLoss: 'differences times beta, before the share of smoothed labels',
  ppoClipLoss: 'losses of both signs, added up',
  grpoLoss: 'losses of both signs, and divergences, added up',
  ctcLoss: 'sums of log-probabilities along a path',
};

const gated = catalog.filter(({ kind }) => kind === 'gated').map(({ op }) => op);
const norms = catalog.filter(({ kind }) => kind === 'norm').map(({ op }) => op);
const channelNorms = ['groupNorm', 'instanceNorm', 'batchNorm'];
const distances = ['pairwiseDistance', 'tripletMarginLoss', 'tripletMarginWithDistanceLoss'];

const cosineLosses = ['arcFaceLoss', 'cosFaceLoss'];
const classLosses = [
  'crossEntropy',
  'focalLoss',
  'polyLoss',
  'generalizedCrossEntropy',
  ...cosineLosses,
];
const LARGEST = 2 ** 128 * (1 - 2 ** -24);

const known = new WeakMap<Call, boolean>();

/** Whether a call has numbers whose differences, products or sums leave float32. */
export function isHuge(call: Call): boolean {
  let huge = known.get(call);
  if (huge === undefined) {
    const specs = Object.values({ ...call.positional, ...call.optional });
    huge = specs.some(({ data }) => data.some((value) => Math.abs(value) >= HUGE));
    known.set(call, huge);
  }
  return huge;
}

function largestOf(spec: TensorSpec | undefined): number {
  let most = 0;
  for (const value of spec?.data ?? []) {
    if (Number.isFinite(value)) most = Math.max(most, Math.abs(value));
  }
  return most;
}

/** The largest finite magnitude in row `i` of a tensor, which may have one row for all. */
function largestOfRow({ shape, data }: TensorSpec, i: number): number {
  const n = shape.at(-1) ?? 1;
  const first = data.length > n ? i * n : 0;
  return largestOf({ shape: [n], dtype: 'float', data: data.slice(first, first + n) });
}

/**
 * How far the finite scores of a row of classes are apart, the row that element `i` of the scores is of, or that `i` is the
 * number of.
 */
function spreadOf({ shape, data }: TensorSpec, i: number, isRow: boolean): number {
  const dim = shape.length > 1 ? 1 : 0;
  const n = shape[dim] ?? 1;
  const inner = shape.slice(dim + 1).reduce((product, d) => product * d, 1);
  const row = isRow ? i : Math.floor(i / (n * inner)) * inner + (i % inner);
  const base = Math.floor(row / inner) * n * inner + (row % inner);
  let [least, most] = [Infinity, -Infinity];
  for (let c = 0; c < n; c++) {
    const value = data[base + c * inner] ?? NaN;
    if (!Number.isFinite(value)) continue;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return most - least;
}

/** How many rows of two tensors, of which one may be repeated, are further apart than float32 reaches. */
function infiniteDistances(x1: TensorSpec, x2: TensorSpec, p: number): number {
  const n = x1.shape.at(-1) ?? 1;
  const rows = Math.max(x1.data.length, x2.data.length) / n;
  let count = 0;
  for (let r = 0; r < rows; r++) {
    const sizes = Array.from({ length: n }, (_, i) => {
      const at = r * n + i;
      return Math.abs((x1.data[at % x1.data.length] ?? 0) - (x2.data[at % x2.data.length] ?? 0));
    });
    const most = Math.max(...sizes);
    const sum = sizes.reduce((total, size) => total + (size / most) ** p, 0);
    if (most * (p === Infinity ? 1 : sum ** (1 / p)) > LARGEST) count++;
  }
  return count;
}

/** The largest of the terms of element `index` of a sum along `dim`; of all elements where that is not one dimension. */
function largestTerm(x: TensorSpec, dim: unknown, index: number): number {
  if (typeof dim !== 'number' || x.shape.length === 0) return largestOf(x);
  const at = dim < 0 ? dim + x.shape.length : dim;
  const n = x.shape[at] ?? 1;
  const inner = x.shape.slice(at + 1).reduce((product, d) => product * d, 1);
  const base = Math.floor(index / inner) * n * inner + (index % inner);
  let largest = 0;
  for (let i = 0; i < n; i++) {
    const size = Math.abs(x.data[base + i * inner] ?? 0);
    if (size > largest && size < Infinity) largest = size;
  }
  return largest;
}

/** The sizes of the losses of `ppoClipLoss`, added up or averaged as its result is. */
function sizeOfClipped({
  positional: { logProbs, oldLogProbs, advantages },
  options,
}: Call): number {
  const n = advantages?.data.length ?? 0;
  let total = 0;
  for (let i = 0; i < n; i++) {
    const a = advantages?.data[i] ?? NaN;
    const ratio = Math.exp((logProbs?.data[i] ?? NaN) - (oldLogProbs?.data[i] ?? NaN));
    const limit = a < 0 ? Infinity : 1 + Number(options.epsHigh ?? 0.2);
    total += Math.abs(a) * Math.min(ratio, limit);
  }
  return options.reduction === 'sum' ? total : total / n;
}

/** Whether a difference is what may be expected, and the rounding of the rest. */
const isWithin = (bound: number, expected: number, value: number): boolean =>
  bound > 0 &&
  bound < Infinity &&
  Math.abs(value - expected) <= bound + 2 ** -22 * Math.abs(expected);

export const EXCEPTIONS: readonly Exception[] = [
  {
    ops: Object.keys(OVERFLOWING),
    reason: 'what float32 does not hold on the way: see OVERFLOWING',
    holds: ({ value }, call) => !Number.isFinite(value) && isHuge(call),
  },
  {
    ops: [...distances, 'contrastiveLoss'],
    reason: 'where a distance is infinite in float32, finite differences are nothing beside it',
    holds: ({ name, value }, call) => name !== 'out' && value === 0 && isHuge(call),
  },
  {
    ops: distances,
    reason: 'float32 rounds unequal differences to the same: of a maximum, they share the gradient',
    holds: ({ name, expected, value }, { positional: { x1, x2 }, options }) => {
      if (name === 'out' || Math.abs(Number(options.p)) !== Infinity) return false;
      // A row that is compared with several others has the sum of as many gradients.
      const repeated = (x1?.data.length ?? 0) !== (x2?.data.length ?? 0);
      return Math.abs(value) <= 2 || (repeated && Math.abs(value - expected) <= 2);
    },
  },
  {
    ops: norms,
    reason:
      'weights whose products with upstream gradients, added up over a row, or with elements, beside an infinite bias, leave float32',
    holds: ({ name, expected, value }, { optional: { weight } }) =>
      (name === 'x'
        ? !Number.isFinite(value)
        : name === 'out' && Number.isNaN(value) && Math.abs(expected) === Infinity) &&
      (weight?.data.some((w) => Math.abs(w) >= HUGE) ?? false),
  },
  {
    ops: ['snake'],
    reason:
      'the sum of x and the bias is rounded to float32, and the slope turns with 2 alpha of it',
    holds: (
      { name, index, dtype, expected, value },
      { positional, optional: { bias }, options },
    ) => {
      const { x } = positional;
      if (name === 'out' || !x || !bias || name === 'alpha') return false;
      const stored = (spec: TensorSpec, i: number): number => {
        const one = spec.data[i] ?? NaN;
        return dtype === 'float16' ? roundHalf(one) : one;
      };
      // The gradient of the bias is a sum over its column.
      const n = bias.data.length;
      let rounding = 0;
      for (let i = name === 'x' ? index : index % n; i < x.data.length; i += n) {
        rounding += 2 ** -24 * Math.abs(stored(x, i) + stored(bias, i % n));
        if (name === 'x') break;
      }
      // Upstream gradients are at most 2; the result is rounded as well.
      const bound = 4 * Number(options.alpha ?? 1) * rounding;
      const own = dtype === 'float16' ? 2 ** -10 * Math.abs(expected) : 0;
      return isWithin(bound + own, expected, value);
    },
  },
  {
    ops: ['rmsNorm'],
    reason:
      'an element that is nothing beside its row, 2^100 times smaller, is 0, whatever its weight; PyTorch gives 0 for all of them',
    holds: ({ name, index, expected, value }, { positional: { x }, optional: { weight } }) => {
      if (name !== 'out' || !x || !weight) return false;
      const n = weight.data.length;
      const row = { ...x, shape: [x.data.length / n, n] };
      return (
        (value === 0 || (Number.isNaN(value) && Math.abs(expected) === Infinity)) &&
        Math.abs(x.data[index] ?? NaN) < 2 ** -100 * largestOfRow(row, Math.floor(index / n))
      );
    },
  },
  {
    ops: ['layerNorm'],
    reason: 'where a bias takes away what the weight gave, the rest is as exact as they are',
    holds: ({ name, index, expected, value }, { optional: { bias } }) =>
      name === 'out' &&
      bias !== undefined &&
      Math.abs(value - expected) <= 2 ** -20 * Math.abs(bias.data[index % bias.data.length] ?? 0),
  },
  {
    ops: channelNorms,
    reason:
      'a normalised element is as exact as those of its row, of size 1, are: so is its product with a weight, or what a bias leaves of it',
    holds: ({ name, index, expected, value }, { positional: { x }, optional }) => {
      const spatial = (x?.shape.slice(2) ?? []).reduce((product, d) => product * d, 1);
      const channel = Math.floor(index / spatial) % (x?.shape[1] ?? 1);
      const sizes = ['weight', 'bias'].map((of) => Math.abs(optional[of]?.data[channel] ?? 0));
      return name === 'out' && Math.abs(value - expected) <= 2 ** -20 * Math.max(...sizes);
    },
  },
  {
    ops: channelNorms,
    reason:
      'beside statistics that are given elements may be of any size: what they are before a weight, and sums of their products, leave float32',
    holds: ({ name, value }, call) =>
      (name === 'weight' || name === 'out') &&
      'runningMean' in call.optional &&
      !Number.isFinite(value) &&
      isHuge(call),
  },
  {
    ops: ['tripletMarginLoss', 'tripletMarginWithDistanceLoss'],
    reason: 'a difference of two distances is as exact as they are',
    holds: ({ name, index, expected, value }, { positional, options }) => {
      const sizes = Object.values(positional).map((spec) =>
        options.reduction === 'none'
          ? largestOfRow(spec, index) * (spec.shape.at(-1) ?? 1)
          : Math.max(...spec.data.map((x) => (Number.isFinite(x) ? Math.abs(x) : 0))) *
            spec.data.length,
      );
      return name === 'out' && Math.abs(value - expected) <= 2 ** -22 * Math.max(...sizes);
    },
  },
  {
    ops: ['mapeLoss'],
    reason: 'gradients of both signs, 100 over each target, added up for a repeated input',
    holds: ({ name, index, expected, value }, { positional: { input, target }, options }) => {
      if (name !== 'input' || !input || !target) return false;
      let terms = 0;
      for (let i = index; i < target.data.length; i += input.data.length) {
        const size = Math.max(Math.abs(target.data[i] ?? 0), Number(options.eps ?? 1e-7));
        if (size < Infinity) terms += 200 / size;
      }
      return Math.abs(value - expected) <= 2 ** -22 * terms;
    },
  },
  {
    ops: KINKED,
    reason:
      'float32 does not tell whether the loss of a row is above 0, or which of two distances is the smaller',
    holds: ({ name, index, dtype, expected, value }, call) =>
      name !== 'out' && isWithin(kinkBound(call, dtype, name, index), expected, value),
  },
  {
    ops: ['linearCrossEntropy'],
    reason: 'a logit is as exact as the terms of its scalar product: see logit-errors.ts',
    holds: ({ name, index, dtype, expected, value }, call) =>
      isWithin(logitBound(call, dtype, name, index), expected, value),
  },
  {
    ops: SIMILARITIES,
    reason: 'a logit is as exact as the terms of its scalar product: see similarity-errors.ts',
    holds: ({ name, index, dtype, expected, value }, call) =>
      isWithin(similarityBound(call, dtype, name, index), expected, value),
  },
  {
    ops: ['scaledDotProductAttention'],
    reason: 'float32 keeps few digits of a score beside a mask far from 0, as in PyTorch',
    holds: ({ name, index, expected, value }, call) =>
      isWithin(scoreBound(call, name, index), expected, value),
  },
  {
    ops: classLosses,
    reason:
      'scores of a row that are further apart than float32 reaches: a log-probability is -Infinity',
    holds: ({ name, index, value }, { positional: { input }, options }) =>
      !Number.isFinite(value) &&
      input !== undefined &&
      (name === 'out' && options.reduction !== 'none'
        ? largestOf(input) > LARGEST / 2
        : spreadOf(input, index, name === 'out') > LARGEST),
  },
  {
    ops: cosineLosses,
    reason: 'cosines, of at most 1, so large that the scale takes them out of float32',
    holds: ({ value }, { positional: { input }, options }) =>
      !Number.isFinite(value) && largestOf(input) > LARGEST / Number(options.s ?? 64),
  },
  {
    ops: cosineLosses,
    reason: 'cosines, of at most 1, so large that float32 does not tell them to within a margin',
    holds: ({ name, expected, value }, { positional: { input }, options }) => {
      const [scale, most] = [Number(options.s ?? 64), largestOf(input)];
      if (scale * most < 2 ** 14) return false;
      const margin = Number(options.m ?? 0.5);
      const off = name === 'out' ? scale * (1 + margin + most * 2 ** -22) : 4 * scale;
      return Math.abs(value - expected) <= off * (options.reduction === 'sum' ? 64 : 1);
    },
  },
  {
    ops: classLosses,
    reason: 'a loss of a row that leaves float32 is infinite before the mean is taken',
    holds: ({ name, expected, value }, { options }) =>
      name === 'out' && options.reduction !== 'none' && value === Infinity && expected > 2 ** 110,
  },
  {
    ops: ['hingeEmbeddingLoss'],
    reason:
      'for a label other than 1 and -1 the hinge and the input are added, as in PyTorch: a large input takes the margin',
    holds: ({ name, expected, value }, { positional }) =>
      name === 'out' && Math.abs(value - expected) <= 2 ** -23 * largestOf(positional.input),
  },
  {
    ops: ['ppoClipLoss'],
    reason: 'losses of both signs, added up, are as exact as their sizes are',
    holds: ({ name, expected, value }, call) =>
      name === 'out' &&
      call.options.reduction !== 'none' &&
      isWithin(2 ** -22 * sizeOfClipped(call), expected, value),
  },
  {
    ops: ['grpoLoss'],
    reason:
      'the ratio of a sequence is e to the mean of differences: beyond 2^20 float32 does not tell it to within 1',
    holds: ({ name, index, value }, { positional: { logProbs, oldLogProbs }, options }) => {
      if (options.importanceSamplingLevel !== 'sequence' || !Number.isFinite(value)) return false;
      const row = Math.floor(index / (logProbs?.shape.at(-1) ?? 1));
      const sizes = [logProbs, oldLogProbs].map((spec) =>
        spec && name !== 'out' ? largestOfRow(spec, row) : largestOf(spec),
      );
      return Math.max(...sizes) > 2 ** 20;
    },
  },
  {
    ops: ['grpoLoss'],
    reason:
      'a ratio and a divergence that both leave float32, with gradients of both signs: their sum is NaN, as in PyTorch',
    holds: ({ name, index, expected, value }, { positional: { logProbs } }) => {
      if (name === 'out' || !Number.isNaN(value) || !logProbs) return false;
      const row = Math.floor(index / (logProbs.shape.at(-1) ?? 1));
      return Math.abs(expected) > LARGEST && largestOfRow(logProbs, row) > 88;
    },
  },
  {
    ops: ['ctcLoss'],
    reason: 'a loss that is infinite in float32 is 0 by `zeroInfinity`, of a batch too',
    holds: ({ name, expected, value }, call) =>
      call.options.zeroInfinity === true &&
      isHuge(call) &&
      (value === 0 ||
        (name === 'out' &&
          call.options.reduction !== 'none' &&
          expected > 2 ** 116 &&
          value > 0 &&
          value < expected)),
  },
  {
    ops: ['ctcLoss'],
    reason:
      'beyond 2^20 float32 does not tell log-probabilities to within ln 2: shares of paths, 0 to 1, are as they come',
    holds: ({ name, expected, value }, { positional }) =>
      name !== 'out' && largestOf(positional.logProbs) > 2 ** 20 && Math.abs(value - expected) <= 4,
  },
  {
    ops: gated,
    reason: 'a gate that float64 holds is 0 in float32, and NaN with an infinite half',
    holds: ({ expected, value }) => Math.abs(expected) === Infinity && Number.isNaN(value),
  },
  {
    ops: gated,
    reason:
      'a gate, or its slope, below 2^-126 is 0 in float32, and so is its product with a huge half',
    holds: ({ expected, value }, { positional: { x, up } }) =>
      value === 0 && Math.abs(expected) <= 2 ** -126 * largestOf(x ?? up),
  },
  {
    ops: ['sum', 'mean'],
    reason:
      'Kahan’s correction of a term is itself rounded where the term is larger than the sum so far: to within half a ULP of the largest',
    holds: ({ name, index, expected, value }, { positional: { x }, options: { dim } }) =>
      name === 'out' &&
      x !== undefined &&
      Math.abs(value - expected) <= 2 ** -25 * largestTerm(x, dim, index),
  },
  {
    ops: ['rotaryEmbedding'],
    reason:
      'products of a pair with cosine and sine, here at most 1, that cancel: within their roundings',
    holds: ({ name, index, expected, value }, { positional: { x, cos }, options }) => {
      const [width, pairs] = [x?.shape.at(-1) ?? 1, cos?.shape.at(-1) ?? 0];
      const column = index % width;
      const other = options.interleaved
        ? column % 2 === 0
          ? 1
          : -1
        : column < pairs
          ? pairs
          : -pairs;
      const terms = Math.abs(x?.data[index] ?? NaN) + Math.abs(x?.data[index + other] ?? NaN);
      return name === 'out' && Math.abs(value - expected) <= 2 ** -23 * terms;
    },
  },
  {
    ops: ['diceLoss'],
    reason: 'sums that leave float32: of a finite number over them 0 is left, or 1 less that',
    holds: ({ name, value }, call) =>
      name === 'out' && isHuge(call) && (value === 0 || value === 1),
  },
  {
    ops: ['pairwiseDistance'],
    reason:
      'where a distance is infinite in float32, the row has no gradient; a row that is compared with several others has the sum of theirs',
    holds: ({ name, expected, value }, { positional: { x1, x2 }, options }) => {
      if (name === 'out' || !x1 || !x2 || x1.data.length === x2.data.length) return false;
      const lost = infiniteDistances(x1, x2, Number(options.p ?? 2));
      return lost > 0 && Math.abs(value - expected) <= 4 * lost;
    },
  },
];

export function isExpected(call: Call, difference: Difference): boolean {
  return EXCEPTIONS.some(({ ops, holds }) => ops.includes(call.op) && holds(difference, call));
}

/** Where huge values excuse an op they come by themselves. */
export const mixesOf = (op: string): readonly Values[] =>
  op in OVERFLOWING ? ['hostile, not huge', 'huge'] : ['hostile'];

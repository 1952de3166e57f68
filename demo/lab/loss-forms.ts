// In: nothing. Out: what losses take as their tensors, in forms where one number moves, for their pictures.
import { tensor } from 'nonlin';
import {
  filled,
  repeated,
  indices,
  itself,
  SIGNS,
  DEFAULT_TARGET,
  NAMES,
  pair,
  row,
  count,
  share,
  type Form,
} from './loss-form.ts';

export const FORMS = {
  regression: pair({
    name: 'regression',
    group: 'Regression',
    axis: 'prediction',
    range: [-4, 4],
    setting: DEFAULT_TARGET,
  }),
  probability: pair({
    name: 'probability',
    group: 'Classification',
    axis: 'predicted probability',
    range: [0.005, 0.995],
    setting: share(1),
  }),
  logit: pair({
    name: 'logit',
    group: 'Classification',
    axis: 'logit',
    range: [-6, 6],
    setting: share(1),
  }),
  signs: pair({
    name: 'signs',
    group: 'Classification',
    axis: 'score',
    range: [-4, 4],
    setting: SIGNS,
  }),
  distance: pair({
    name: 'distance',
    group: 'Rankings and embeddings',
    axis: 'distance',
    range: [0, 3],
    setting: SIGNS,
  }),
  logRate: pair({
    name: 'logRate',
    group: 'Regression',
    axis: 'logarithm of the rate',
    range: [-2, 3],
    setting: count,
  }),
  logProbability: pair({
    name: 'logProbability',
    group: 'Distributions',
    axis: 'predicted log-probability',
    range: [-5, -0.01],
    setting: share(0.4),
  }),
  logProbabilities: pair({
    name: 'logProbabilities',
    group: 'Distributions',
    axis: 'predicted log-probability',
    range: [-5, -0.01],
    setting: { ...share(0.4), min: 0.01 },
    target: Math.log,
  }),
  classes: row('classes', (n, device) => indices([0], n, device, [n])),
  logClasses: {
    ...row('logClasses', (n, device) => indices([0], n, device, [n])),
    axis: 'log-probability of the true class',
    range: [-6, 0],
  },
  multiHot: row('multiHot', (n, device) => repeated([1, 0, 0], n, device)),
  labelSet: row('labelSet', (n, device) => indices([0, -1, -1], n, device, [n, 3])),
  region: {
    name: 'region',
    group: 'Classification',
    axis: 'predicted probability inside; 1 minus it outside',
    range: [0.01, 0.99],
    names: NAMES,
    input: (x) => ({
      values: Float32Array.from({ length: 4 * x.length }, (_, i) => {
        const p = x[Math.floor(i / 4)] ?? 0;
        return i % 4 < 2 ? p : 1 - p;
      }),
      shape: [x.length, 4],
    }),
    args: (moving, n, _, device) => [moving, repeated([1, 1, 0, 0], n, device)],
    along: (gradient, i) => {
      const [a = NaN, b = NaN, c = NaN, d = NaN] = gradient.subarray(4 * i, 4 * i + 4);
      return a + b - c - d;
    },
  },
  gaussian: {
    name: 'gaussian',
    group: 'Regression',
    axis: 'predicted mean, target 0',
    range: [-4, 4],
    setting: { label: 'variance', value: 1, min: 0.1, max: 5, step: 0.1 },
    names: ['input', 'target', 'variance'],
    input: itself,
    args: (moving, n, variance, device) => [
      moving,
      filled(n, 0, device),
      filled(n, variance, device),
    ],
    along: (gradient, i) => gradient[i] ?? NaN,
  },
  ranking: {
    name: 'ranking',
    group: 'Rankings and embeddings',
    axis: 'score of the first, the second being 0',
    range: [-4, 4],
    setting: SIGNS,
    names: ['input1', 'input2', 'target'],
    input: itself,
    args: (moving, n, sign, device) => [moving, filled(n, 0, device), filled(n, sign, device)],
    along: (gradient, i) => gradient[i] ?? NaN,
  },
  angle: {
    name: 'angle',
    group: 'Rankings and embeddings',
    axis: 'angle between the two, in radians',
    range: [0.01, Math.PI - 0.01],
    setting: SIGNS,
    names: ['input1', 'input2', 'target'],
    input: (x) => ({
      values: Float32Array.from({ length: 2 * x.length }, (_, i) =>
        (i % 2 === 0 ? Math.cos : Math.sin)(x[i >> 1] ?? 0),
      ),
      shape: [x.length, 2],
    }),
    args: (moving, n, sign, device) => [
      moving,
      repeated([1, 0], n, device),
      filled(n, sign, device),
    ],
    along: (gradient, i, x) =>
      -Math.sin(x) * (gradient[2 * i] ?? NaN) + Math.cos(x) * (gradient[2 * i + 1] ?? NaN),
  },
  triplet: {
    name: 'triplet',
    group: 'Rankings and embeddings',
    axis: 'distance of the positive from the anchor',
    range: [0.05, 4],
    setting: { label: 'distance of the negative', value: 1.5, min: 0.1, max: 4, step: 0.1 },
    names: ['anchor', 'positive', 'negative'],
    input: (x) => ({
      values: Float32Array.from({ length: 2 * x.length }, (_, i) =>
        i % 2 === 0 ? (x[i >> 1] ?? 0) : 0,
      ),
      shape: [x.length, 2],
    }),
    args: (moving, n, far, device) => [
      repeated([0, 0], n, device),
      moving,
      repeated([0, far], n, device),
    ],
    along: (gradient, i) => gradient[2 * i] ?? NaN,
  },
  linear: {
    ...row('linear', (n, device) => indices([0], n, device, [n])),
    names: ['input', 'linearWeight', 'target'],
    input: (x) => ({ values: x, shape: [x.length, 1] }),
    args: (moving, n, _, device) => [
      moving,
      tensor([[1], [0], [0]], { device }),
      indices([0], n, device, [n]),
    ],
    along: (gradient, i) => gradient[i] ?? NaN,
  },
  alignment: {
    name: 'alignment',
    group: 'Classification',
    axis: 'log-probability of the label at each of 3 steps',
    range: [-4, -0.02],
    names: ['logProbs', 'targets', 'inputLengths', 'targetLengths'],
    // [time, batch, classes], the blank first
    input: (x) => ({
      values: Float32Array.from({ length: 6 * x.length }, (_, i) => {
        const label = x[(i >> 1) % x.length] ?? 0;
        return i % 2 === 1 ? label : Math.log(-Math.expm1(label));
      }),
      shape: [3, x.length, 2],
    }),
    args: (moving, n, _, device) => [
      moving,
      indices([1], n, device, [n, 1]),
      indices([3], n, device, [n]),
      indices([1], n, device, [n]),
    ],
    along: (gradient, i, x) => {
      const n = gradient.length / 6;
      const odds = -Math.exp(x) / -Math.expm1(x);
      let sum = 0;
      for (let step = 0; step < 3; step++) {
        const at = 2 * (step * n + i);
        sum += (gradient[at + 1] ?? NaN) + odds * (gradient[at] ?? NaN);
      }
      return sum;
    },
  },
} satisfies Record<string, Form>;

/** Tried in this order for a loss not named below. */
const GENERAL: readonly Form[] = [
  FORMS.regression,
  FORMS.classes,
  FORMS.logClasses,
  FORMS.multiHot,
  FORMS.labelSet,
  FORMS.region,
  FORMS.gaussian,
  FORMS.ranking,
  FORMS.angle,
  FORMS.triplet,
  FORMS.linear,
  FORMS.alignment,
];

/** Losses that would also accept a form above, but are meant for another: what a number stands for is not in its shape. */
const MEANT: Readonly<Partial<Record<string, Form>>> = {
  nllLoss: FORMS.logClasses,
  binaryCrossEntropy: FORMS.probability,
  binaryCrossEntropyWithLogits: FORMS.logit,
  sigmoidFocalLoss: FORMS.logit,
  softMarginLoss: FORMS.signs,
  hingeEmbeddingLoss: FORMS.distance,
  poissonNllLoss: FORMS.logRate,
  klDiv: FORMS.logProbability,
  jsd: FORMS.logProbabilities,
  diceLoss: FORMS.region,
  gaussianNllLoss: FORMS.gaussian,
  marginRankingLoss: FORMS.ranking,
  cosineEmbeddingLoss: FORMS.angle,
  tripletMarginLoss: FORMS.triplet,
  multilabelMarginLoss: FORMS.labelSet,
  multilabelSoftMarginLoss: FORMS.multiHot,
};

/** The forms worth trying for a loss. */
export function formsOf(op: string): readonly Form[] {
  const meant = MEANT[op];
  return meant ? [meant, ...GENERAL] : GENERAL;
}

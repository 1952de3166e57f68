// What losses take as their tensors, in forms where one number moves, for their pictures.
import { tensor } from 'nonlin';
import { MORE_MEANT } from './more-forms.ts';
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
    setting: { ...share(0.4), min: 0.01 },
    target: (t, { logTarget }) => (logTarget === true ? Math.log(t) : t),
  }),
  logProbabilities: pair({
    name: 'logProbabilities',
    group: 'Distributions',
    axis: 'predicted log-probability',
    range: [-5, -0.01],
    setting: { ...share(0.4), min: 0.01 },
    target: (t) => Math.log(t),
  }),
  classes: row('classes', (n, t, device) => indices([t], n, device, [n])),
  cosines: {
    ...row('cosines', (n, t, device) => indices([t], n, device, [n])),
    axis: 'cosine of class 0 (other cosines: 0)',
    range: [-0.999, 0.999],
  },
  logClasses: {
    ...row('logClasses', (n, t, device) => indices([t], n, device, [n])),
    axis: 'log-probability of class 0 (other classes: -1)',
    range: [-6, 0],
    input: (x) => ({
      values: Float32Array.from({ length: 3 * x.length }, (_, i) =>
        i % 3 === 0 ? (x[i / 3] ?? 0) : -1,
      ),
      shape: [x.length, 3],
    }),
  },
  multiHot: row('multiHot', (n, t, device) => repeated([t, 1 - t, 0], n, device), {
    name: 'target',
    label: 'target of class 0',
    value: '1',
    choices: ['1', '0'],
  }),
  labelSet: row('labelSet', (n, t, device) => indices([t, -1, -1], n, device, [n, 3])),
  region: {
    name: 'region',
    group: 'Classification',
    axis: 'predicted probability inside the region (outside: 1 minus it)',
    range: [0.01, 0.99],
    setting: {
      name: 'inside',
      label: 'pixels inside, of 4',
      value: 2,
      min: 0,
      max: 4,
      step: 1,
    },
    names: NAMES,
    input: (x, inside) => ({
      values: Float32Array.from({ length: 4 * x.length }, (_, i) => {
        const p = x[Math.floor(i / 4)] ?? 0;
        return i % 4 < inside ? p : 1 - p;
      }),
      shape: [x.length, 4],
    }),
    args: (moving, n, inside, device) => [
      moving,
      repeated(
        [0, 1, 2, 3].map((pixel) => (pixel < inside ? 1 : 0)),
        n,
        device,
      ),
    ],
    along: (gradient, i, _, inside) =>
      gradient
        .subarray(4 * i, 4 * i + 4)
        .reduce((sum, slope, pixel) => sum + (pixel < inside ? slope : -slope), 0),
  },
  mask: {
    name: 'mask',
    group: 'Classification',
    axis: 'logit inside the region (outside: its negative)',
    range: [-6, 6],
    setting: { name: 'inside', label: 'pixels inside, of 4', value: 2, min: 0, max: 4, step: 1 },
    settled: ['mode', 'fromLogits'],
    // The examples are classes, each of four pixels: [4, examples].
    given: { mode: 'multilabel' },
    names: NAMES,
    input: (x, inside) => ({
      values: Float32Array.from({ length: 4 * x.length }, (_, i) => {
        const logit = x[i % x.length] ?? 0;
        return Math.floor(i / x.length) < inside ? logit : -logit;
      }),
      shape: [4, x.length],
    }),
    args: (moving, n, inside, device) => [
      moving,
      tensor(
        Float32Array.from({ length: 4 * n }, (_, i) => Number(Math.floor(i / n) < inside)),
        { shape: [4, n], device },
      ),
    ],
    along: (gradient, i, _, inside) => {
      const n = gradient.length / 4;
      return [0, 1, 2, 3].reduce((sum, pixel) => {
        const slope = gradient[pixel * n + i] ?? NaN;
        return sum + (pixel < inside ? slope : -slope);
      }, 0);
    },
  },
  gaussian: {
    name: 'gaussian',
    group: 'Regression',
    axis: 'predicted mean, target 0',
    range: [-4, 4],
    setting: { name: 'variance', value: 1, min: 0.1, max: 5, step: 0.1 },
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
    axis: 'score of the first (score of the second: 0)',
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
  similar: {
    name: 'similar',
    group: 'Rankings and embeddings',
    axis: 'distance between the two',
    range: [0.05, 3],
    setting: share(1),
    names: ['x1', 'x2', 'target'],
    input: (x) => ({
      values: Float32Array.from({ length: 2 * x.length }, (_, i) =>
        i % 2 === 0 ? (x[i >> 1] ?? 0) : 0,
      ),
      shape: [x.length, 2],
    }),
    args: (moving, n, similar, device) => [
      moving,
      repeated([0, 0], n, device),
      filled(n, similar, device),
    ],
    along: (gradient, i) => gradient[2 * i] ?? NaN,
  },
  triplet: {
    name: 'triplet',
    group: 'Rankings and embeddings',
    axis: 'distance of the positive from the anchor',
    range: [0.05, 4],
    setting: {
      name: 'negative',
      label: 'distance of the negative',
      value: 1.5,
      min: 0.1,
      max: 4,
      step: 0.1,
    },
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
    ...row('linear', (n, t, device) => indices([t], n, device, [n])),
    names: ['input', 'linearWeight', 'target'],
    input: (x) => ({ values: x, shape: [x.length, 1] }),
    args: (moving, n, t, device) => [
      moving,
      tensor([[1], [0], [0]], { device }),
      indices([t], n, device, [n]),
    ],
    along: (gradient, i) => gradient[i] ?? NaN,
  },
  clusters: {
    name: 'clusters',
    group: 'Classification',
    axis: 'logit of the cluster of classes 2 and 3, and of class 2 in it',
    range: [-6, 6],
    setting: {
      name: 'target',
      label: 'target class',
      value: '2',
      choices: ['0', '1', '2', '3'],
    },
    names: ['input', 'target', 'headWeight', 'tailWeights'],
    input: (x) => ({ values: x, shape: [x.length, 1] }),
    args: (moving, n, t, device) => [
      moving,
      indices([t], n, device, [n]),
      tensor([[0], [0], [1]], { device }),
      [[tensor([[1]], { device }), tensor([[1], [0]], { device })]],
    ],
    along: (gradient, i) => gradient[i] ?? NaN,
  },
  alignment: {
    name: 'alignment',
    group: 'Classification',
    axis: 'log-probability of the label at each of 3 steps',
    range: [-4, -0.02],
    setting: {
      name: 'labels',
      label: 'labels in the target',
      value: '1',
      choices: ['1', '2'],
    },
    settled: ['blank'],
    names: ['logProbs', 'targets', 'inputLengths', 'targetLengths'],
    // [time, batch, classes], the blank first
    input: (x) => ({
      values: Float32Array.from({ length: 6 * x.length }, (_, i) => {
        const label = x[(i >> 1) % x.length] ?? 0;
        return i % 2 === 1 ? label : Math.log(-Math.expm1(label));
      }),
      shape: [3, x.length, 2],
    }),
    args: (moving, n, labels, device) => [
      moving,
      indices(Array<number>(labels).fill(1), n, device, [n, labels]),
      indices([3], n, device, [n]),
      indices([labels], n, device, [n]),
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

/** A query that turns away from its positive, of the same direction for all; negatives are the loss's to add. */
const QUERY: Form = {
  ...FORMS.angle,
  name: 'query',
  axis: 'angle between query and positive, in radians',
  setting: {
    name: 'length',
    label: 'length of the positive',
    value: 1,
    min: 0.1,
    max: 3,
    step: 0.1,
  },
  names: ['query', 'positive'],
  args: (moving, n, length, device) => [moving, repeated([length, 0], n, device)],
};

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
  FORMS.clusters,
  FORMS.alignment,
];

/** Losses that would also accept a form above, but are meant for another: what a number stands for is not in its shape. */
const MEANT: Readonly<Partial<Record<string, Form>>> = {
  nllLoss: FORMS.logClasses,
  arcFaceLoss: FORMS.cosines,
  cosFaceLoss: FORMS.cosines,
  binaryCrossEntropy: FORMS.probability,
  binaryCrossEntropyWithLogits: FORMS.logit,
  sigmoidFocalLoss: FORMS.logit,
  softMarginLoss: FORMS.signs,
  hingeEmbeddingLoss: FORMS.distance,
  poissonNllLoss: FORMS.logRate,
  klDiv: FORMS.logProbability,
  jsd: FORMS.logProbabilities,
  diceLoss: FORMS.region,
  diceWithLogits: FORMS.mask,
  jaccardLoss: FORMS.mask,
  tverskyLoss: FORMS.mask,
  focalTverskyLoss: FORMS.mask,
  gaussianNllLoss: FORMS.gaussian,
  marginRankingLoss: FORMS.ranking,
  cosineEmbeddingLoss: FORMS.angle,
  contrastiveLoss: FORMS.similar,
  infoNceLoss: QUERY,
  tripletMarginLoss: FORMS.triplet,
  multilabelMarginLoss: FORMS.labelSet,
  multilabelSoftMarginLoss: FORMS.multiHot,
  squaredHingeLoss: FORMS.signs,
  asymmetricLoss: FORMS.logit,
  tvDistanceLoss: FORMS.probability,
  ...MORE_MEANT,
};

/** The forms worth trying for a loss. */
export function formsOf(op: string): readonly Form[] {
  const meant = MEANT[op];
  return meant ? [meant, ...GENERAL] : GENERAL;
}

// What losses take as their tensors, in forms where one number moves, for their pictures.
import { CLASS_FORMS } from './class-forms.ts';
import { EMBEDDING_FORMS } from './embedding-forms.ts';
import {
  count,
  DEFAULT_TARGET,
  filled,
  itself,
  pair,
  share,
  SIGNS,
  type Form,
} from './loss-form.ts';
import { MORE_MEANT } from './more-forms.ts';

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
  ...CLASS_FORMS,
  ...EMBEDDING_FORMS,
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
  infoNceLoss: FORMS.query,
  clipLoss: FORMS.images,
  sigLipLoss: FORMS.images,
  ntXentLoss: FORMS.views,
  supConLoss: FORMS.labelled,
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

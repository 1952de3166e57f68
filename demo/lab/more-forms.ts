// What losses beyond PyTorch's take as their tensors, in forms where one number moves, for their pictures.
import { tensor } from 'nonlin';
import { count, filled, indices, itself, pair, repeated, row, type Form } from './loss-form.ts';

interface Plain {
  readonly name: string;
  readonly group: Form['group'];
  readonly axis: string;
  readonly range: Form['range'];
  readonly setting: Form['setting'];
  readonly names: readonly string[];
  /** What the tensors behind the moving one hold. */
  readonly others: (setting: number) => readonly number[];
}

/** Several tensors of one element per example, of which the first moves. */
const first = ({ others, ...form }: Plain): Form => ({
  ...form,
  input: itself,
  args: (moving, n, setting, device) => [
    moving,
    ...others(setting).map((value) => filled(n, value, device)),
  ],
  along: (gradient, i) => gradient[i] ?? NaN,
});

const other = (name: string, label: string) =>
  ({ name, label, value: 0, min: -3, max: 3, step: 0.1 }) as const;

export const MORE_FORMS = {
  quantity: pair({
    name: 'quantity',
    group: 'Regression',
    axis: 'prediction',
    range: [0.1, 8],
    setting: { ...count, min: 1 },
  }),
  scores: first({
    name: 'scores',
    group: 'Rankings and embeddings',
    axis: 'score of the chosen item',
    range: [-6, 6],
    setting: other('negative', 'score of the other item'),
    names: ['positive', 'negative'],
    others: (negative) => [negative],
  }),
  answers: first({
    name: 'answers',
    group: 'Preferences and policies',
    axis: 'log-probability of the chosen answer',
    range: [-6, 6],
    setting: other('rejected', 'log-probability of the rejected answer'),
    names: ['chosenLogps', 'rejectedLogps'],
    others: (rejected) => [rejected],
  }),
  references: first({
    name: 'references',
    group: 'Preferences and policies',
    axis: 'log-ratio of the chosen answer, policy to reference',
    range: [-30, 30],
    setting: other('rejected', 'log-ratio of the rejected answer'),
    names: [
      'policyChosenLogps',
      'policyRejectedLogps',
      'referenceChosenLogps',
      'referenceRejectedLogps',
    ],
    others: (rejected) => [rejected, 0, 0],
  }),
  policy: first({
    name: 'policy',
    group: 'Preferences and policies',
    axis: 'logarithm of the ratio to the old probability',
    range: [-1, 1],
    setting: { name: 'advantages', label: 'advantage', value: '1', choices: ['1', '-1'] },
    names: ['logProbs', 'oldLogProbs', 'advantages'],
    others: (advantage) => [0, advantage],
  }),
  completion: {
    ...first({
      name: 'completion',
      group: 'Preferences and policies',
      axis: 'logarithm of the ratio to the old probability of a token',
      range: [-1, 1],
      setting: { name: 'advantages', label: 'advantage', value: '1', choices: ['1', '-1'] },
      names: ['logProbs', 'oldLogProbs', 'advantages'],
      others: () => [],
    }),
    apart: true,
    settled: ['beta', 'lossType', 'importanceSamplingLevel'],
    input: (x) => ({ values: x, shape: [x.length, 1] }),
    args: (moving, n, advantage, device) => [
      moving,
      filled(n, 0, device, [n, 1]),
      filled(n, advantage, device),
    ],
  },
  survival: {
    name: 'survival',
    group: 'Rankings and embeddings',
    axis: 'log hazard of one of three examples (the others: 0)',
    range: [-4, 4],
    setting: {
      name: 'place',
      label: 'its place in the order of times',
      value: '1',
      choices: ['1', '2', '3'],
    },
    apart: true,
    names: ['input', 'time', 'event'],
    input: (x, place) => ({
      values: Float32Array.from({ length: 3 * x.length }, (_, i) =>
        i % 3 === place - 1 ? (x[Math.floor(i / 3)] ?? 0) : 0,
      ),
      shape: [3 * x.length],
    }),
    args: (moving, _n, _place, device) => [
      moving,
      tensor([1, 2, 3], { device }),
      indices([1, 1, 1], 1, device, [3]),
    ],
    along: (gradient, i, _x, place) => gradient[3 * i + place - 1] ?? NaN,
  },
  box: {
    name: 'box',
    group: 'Regression',
    axis: 'position of the predicted box (true box: 0)',
    range: [-3, 3],
    setting: {
      name: 'width',
      label: 'width of the predicted box',
      value: 1.5,
      min: 0.2,
      max: 3,
      step: 0.1,
    },
    names: ['boxes1', 'boxes2'],
    input: (x, width) => ({
      values: Float32Array.from({ length: 4 * x.length }, (_, i) => {
        const at = x[i >> 2] ?? 0;
        return [at, 0, at + width, 1][i % 4] ?? 0;
      }),
      shape: [x.length, 4],
    }),
    args: (moving, n, _width, device) => [moving, repeated([0, 0, 1, 1], n, device)],
    along: (gradient, i) => (gradient[4 * i] ?? NaN) + (gradient[4 * i + 2] ?? NaN),
  },
  list: {
    ...row('list', (n, t, device) => repeated([t, 1 - t, 0], n, device), {
      name: 'target',
      label: 'relevance of the first item',
      value: 0.7,
      min: 0,
      max: 1,
      step: 0.1,
    }),
    group: 'Rankings and embeddings',
    axis: 'score of the first item (other scores: 0)',
  },
} satisfies Record<string, Form>;

export const MORE_MEANT: Readonly<Partial<Record<string, Form>>> = {
  mapeLoss: MORE_FORMS.quantity,
  msleLoss: MORE_FORMS.quantity,
  bprLoss: MORE_FORMS.scores,
  simpoLoss: MORE_FORMS.answers,
  dpoLoss: MORE_FORMS.references,
  ppoClipLoss: MORE_FORMS.policy,
  grpoLoss: MORE_FORMS.completion,
  generalizedBoxIouLoss: MORE_FORMS.box,
  distanceBoxIouLoss: MORE_FORMS.box,
  completeBoxIouLoss: MORE_FORMS.box,
  listNetLoss: MORE_FORMS.list,
  coxPhLoss: MORE_FORMS.survival,
};

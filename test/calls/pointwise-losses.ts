// Takes pointwise losses whose inputs are not just any numbers: probabilities, labels, weights, other shapes. Gives their
// calls.
import fc from 'fast-check';
import { OptionError, tensor } from '../../src/index.ts';
import { broadcastShapes, sizeOf } from '../../src/core/shape.ts';
import type { Call, TensorSpec } from './call.ts';
import { broadcasting, floats, magnitudes, maybe, sized, type Drawn, type Values } from './draw.ts';
import type { Family } from './family.ts';
import {
  alike,
  logProbabilities,
  ofSameRank,
  ontoFirst,
  positive,
  probabilities,
  signs,
  withVariance,
  type Shapes,
} from './loss-values.ts';
import { call, numbers, wrongOption, wrongShape, type Wrong } from './wrong.ts';

/** What is drawn before the tensors: shapes of the inputs, options, a typical magnitude. */
export interface Setting {
  readonly shapes: Shapes;
  readonly kind: Values;
  readonly magnitude: number;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface LossCalls {
  readonly inputs: readonly string[];
  readonly weights?: readonly string[];
  readonly differentiable?: readonly string[];
  /** Whether weights have gradients. */
  readonly weightGradients?: true;
  readonly shapes: (drawn: Drawn) => fc.Arbitrary<Shapes>;
  readonly options?: Readonly<Record<string, fc.Arbitrary<unknown>>>;
  readonly reductions?: readonly string[];
  readonly magnitudes?: fc.Arbitrary<number>;
  /** The tensors, in the order of `inputs`. */
  readonly tensors: (setting: Setting) => readonly fc.Arbitrary<TensorSpec>[];
  /** Magnitude of the largest terms that a loss, or a derivative, of an element is a sum of. */
  readonly term: (setting: Setting) => number;
  readonly valid: Call;
  readonly wrongs: readonly Wrong[];
}

const input = (values = numbers([2, 3])): Call['positional'] => ({ input: values });
const half: TensorSpec = { shape: [2, 3], dtype: 'float', data: [0.1, 0.9, 0.5, 0.25, 1, 0] };
const ones: TensorSpec = { shape: [2, 3], dtype: 'float', data: [1, -1, 1, 1, -1, -1] };
const none = { reduction: 'none' };
const notProbability = (argument: string): Wrong[] =>
  [1.5, -0.25, NaN, Infinity].map((value) => ({
    what: `with ${value}`,
    argument,
    value: ({ device }) => tensor([0, value, 1, 0.5, 0.5, 0.5], { shape: [2, 3], device }),
    error: OptionError,
  }));
const otherShapes: Wrong[] = [
  wrongShape('target', [2, 1]),
  wrongShape('target', [3]),
  wrongShape('target', []),
  wrongShape('target', [2, 4]),
];
const noBroadcast: Wrong[] = [wrongShape('target', [2, 2]), wrongShape('target', [3, 3])];

const LOSSES: Readonly<Record<string, LossCalls>> = {
  smoothL1Loss: {
    inputs: ['input', 'target'],
    shapes: (drawn) => broadcasting(2, drawn),
    options: { beta: fc.constantFrom(0, 0.5, 1, 2.25) },
    tensors: ({ shapes: [a = [], b = []], kind, magnitude }) => [
      floats(a, kind, magnitude),
      floats(b, kind, magnitude),
    ],
    term: ({ magnitude }) => 2 * magnitude,
    valid: call('smoothL1Loss', { ...input(), target: numbers([2, 3], 1) }, { options: none }),
    wrongs: [...noBroadcast, wrongOption('beta', -1)],
  },
  binaryCrossEntropy: {
    inputs: ['input', 'target'],
    weights: ['weight'],
    shapes: alike(2),
    tensors: ({ shapes: [a = []], kind }) => [probabilities(a, kind), probabilities(a, kind)],
    term: () => 200,
    valid: call(
      'binaryCrossEntropy',
      { ...input(half), target: half },
      { options: none, optional: { weight: numbers([3]) } },
    ),
    wrongs: [
      ...otherShapes,
      ...notProbability('input'),
      ...notProbability('target'),
      wrongShape('weight', [2]),
      wrongShape('weight', [4, 2, 3]),
      wrongOption('posWeight', 1),
    ],
  },
  binaryCrossEntropyWithLogits: {
    inputs: ['input', 'target'],
    weights: ['weight', 'posWeight'],
    weightGradients: true,
    shapes: alike(2),
    tensors: ({ shapes: [a = []], kind, magnitude }) => [
      floats(a, kind, magnitude),
      probabilities(a, kind),
    ],
    term: ({ magnitude }) => 8 * Math.max(1, magnitude),
    valid: call(
      'binaryCrossEntropyWithLogits',
      { ...input(), target: half },
      { options: none, optional: { weight: numbers([2, 1]), posWeight: numbers([3]) } },
    ),
    wrongs: [
      ...otherShapes,
      wrongShape('weight', [2]),
      wrongShape('posWeight', [2]),
      wrongShape('posWeight', [4, 2, 3]),
    ],
  },
  klDiv: {
    inputs: ['input', 'target'],
    shapes: (drawn) => broadcasting(2, drawn),
    options: { logTarget: fc.boolean() },
    reductions: ['none', 'mean', 'sum', 'batchmean'],
    tensors: ({ shapes: [a = [], b = []], kind, magnitude, options }) => [
      logProbabilities(a, kind, magnitude),
      options.logTarget === true
        ? logProbabilities(b, kind, magnitude)
        : positive(b, kind, magnitude),
    ],
    term: ({ magnitude }) => magnitude * (magnitude + 4) + 4,
    valid: call('klDiv', { ...input(), target: numbers([2, 3], 1) }, { options: none }),
    wrongs: noBroadcast,
  },
  poissonNllLoss: {
    inputs: ['input', 'target'],
    shapes: (drawn) => broadcasting(2, drawn),
    options: {
      logInput: fc.boolean(),
      full: fc.boolean(),
      eps: fc.constantFrom(1e-8, 0.0009765625),
    },
    magnitudes: fc.constantFrom(0.5, 3),
    tensors: ({ shapes: [a = [], b = []], kind, magnitude, options }) => [
      options.logInput === false ? positive(a, kind, magnitude) : floats(a, kind, magnitude),
      positive(b, kind, 4),
    ],
    term: ({ options }) => (options.logInput === false ? 100 : 40),
    valid: call('poissonNllLoss', { ...input(), target: numbers([2, 3], 1) }, { options: none }),
    wrongs: noBroadcast,
  },
  gaussianNllLoss: {
    inputs: ['input', 'target', 'variance'],
    shapes: withVariance,
    options: { full: fc.boolean(), eps: fc.constantFrom(1e-6, 0.03125) },
    tensors: ({ shapes: [a = [], b = [], c = []], kind, magnitude }) => [
      floats(a, kind, magnitude),
      floats(b, kind, magnitude),
      positive(c, kind, 3, 0.0625),
    ],
    term: ({ magnitude }) => 16 + 512 * magnitude * magnitude,
    valid: call(
      'gaussianNllLoss',
      { ...input(), target: numbers([2, 3], 1), variance: numbers([2, 1]) },
      { options: none },
    ),
    wrongs: [
      wrongShape('target', [2, 2], 'variance'),
      wrongShape('variance', [3]),
      wrongShape('variance', [1, 1]),
      wrongShape('variance', []),
      wrongShape('variance', [2, 2]),
      {
        what: 'with a negative element',
        argument: 'variance',
        value: ({ device }) => tensor([1, -0.5], { shape: [2, 1], device }),
        error: OptionError,
      },
    ],
  },
  hingeEmbeddingLoss: {
    inputs: ['input', 'target'],
    differentiable: ['input'],
    shapes: (drawn) => broadcasting(2, drawn),
    options: { margin: fc.constantFrom(1, 0, -0.5, 2.5) },
    tensors: ({ shapes: [a = [], b = []], kind, magnitude }) => [
      floats(a, kind, magnitude),
      signs(b, kind),
    ],
    term: ({ magnitude }) => 2.5 + magnitude,
    valid: call(
      'hingeEmbeddingLoss',
      { ...input(), target: ones },
      { options: none, differentiable: ['input'] },
    ),
    wrongs: noBroadcast,
  },
  softMarginLoss: {
    inputs: ['input', 'target'],
    differentiable: ['input'],
    shapes: ontoFirst,
    tensors: ({ shapes: [a = [], b = []], kind, magnitude }) => [
      floats(a, kind, magnitude),
      signs(b, kind),
    ],
    term: ({ magnitude }) => 1 + magnitude,
    valid: call(
      'softMarginLoss',
      { ...input(), target: ones },
      { options: none, differentiable: ['input'] },
    ),
    wrongs: [...noBroadcast, wrongShape('target', [4, 2, 3])],
  },
  marginRankingLoss: {
    inputs: ['input1', 'input2', 'target'],
    shapes: ofSameRank,
    options: { margin: fc.constantFrom(0, 0.5, -0.375, 2) },
    tensors: ({ shapes: [a = [], b = [], c = []], kind, magnitude }) => [
      floats(a, kind, magnitude),
      floats(b, kind, magnitude),
      signs(c, kind),
    ],
    term: ({ magnitude }) => 2 + 2 * magnitude,
    valid: call(
      'marginRankingLoss',
      { input1: numbers([2, 3]), input2: numbers([2, 3], 1), target: ones },
      { options: none },
    ),
    wrongs: [
      wrongShape('input2', [3]),
      wrongShape('input2', [2, 2], 'target'),
      wrongShape('target', [3]),
      wrongShape('target', [2, 2]),
    ],
  },
  sigmoidFocalLoss: {
    inputs: ['input', 'target'],
    shapes: alike(2),
    options: {
      alpha: fc.constantFrom(0.25, -1, 0, 0.75),
      gamma: fc.constantFrom(2, 0, 0.5, 1, 3.5),
    },
    tensors: ({ shapes: [a = []], kind, magnitude }) => [
      floats(a, kind, magnitude),
      probabilities(a, kind),
    ],
    term: ({ magnitude }) => 4 * Math.max(1, magnitude),
    valid: call('sigmoidFocalLoss', { ...input(), target: half }, { options: none }),
    wrongs: [...otherShapes, wrongOption('alpha', 1.5), wrongOption('gamma', -0.5)],
  },
  jsd: {
    inputs: ['input', 'target'],
    shapes: alike(2),
    options: { beta: fc.constantFrom(0.5, 0, 1, 0.125, 0.75) },
    reductions: ['none', 'mean', 'sum', 'batchmean'],
    tensors: ({ shapes: [a = []], kind, magnitude }) => [
      logProbabilities(a, kind, magnitude),
      logProbabilities(a, kind, magnitude),
    ],
    term: ({ magnitude }) => 1 + magnitude,
    valid: call('jsd', { ...input(), target: numbers([2, 3], 1) }, { options: none }),
    wrongs: [...otherShapes, wrongOption('beta', 1.5), wrongOption('beta', -0.5)],
  },
  diceLoss: {
    inputs: ['input', 'target'],
    shapes: (drawn) =>
      sized(
        drawn,
        fc.oneof(
          { arbitrary: drawn, weight: 4 },
          {
            arbitrary: fc.tuple(
              fc.integer({ min: 1, max: 5 }),
              fc.integer({ min: 100, max: 3000 }),
            ),
            weight: 1,
          },
        ),
        (r, c) => [r, c],
      ).map((shape) => [[...shape], [...shape]]),
    options: { eps: fc.constantFrom(1, 0.5, 0.0009765625) },
    tensors: ({ shapes: [a = []], kind }) => [positive(a, kind, 1), positive(a, kind, 1)],
    term: () => 4,
    valid: call('diceLoss', { ...input(), target: half }, { options: { reduction: 'sum' } }),
    wrongs: [...otherShapes, wrongOption('eps', -1)],
  },
};

function drawCalls(op: string, loss: LossCalls, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const reduction = fc.constantFrom(...(loss.reductions ?? ['none', 'mean', 'sum']));
  return fc
    .tuple(
      loss.shapes(drawn),
      loss.magnitudes ?? magnitudes,
      maybe({ ...loss.options, reduction }),
      fc.tuple(fc.boolean(), fc.boolean()),
    )
    .chain(([shapes, magnitude, options, weighted]) => {
      const setting: Setting = { shapes, kind, magnitude, options };
      const whole = broadcastShapes(
        op,
        shapes.map((shape, i) => seenAs(op, shape, i, shapes)),
      );
      const count = sizeOf(whole);
      const repeated = shapes.some((shape) => sizeOf(shape) !== count);
      // A scale for each element, or for each of the last dimension.
      const weights = (loss.weights ?? []).flatMap(
        (name, k): [string, fc.Arbitrary<TensorSpec>][] =>
          weighted[k] === true
            ? [[name, positive(k === 0 ? whole : whole.slice(-1), 'smooth', 2)]]
            : [],
      );
      const summed = options.reduction !== 'mean' && (options.reduction !== 'none' || repeated);
      return fc.record({
        op: fc.constant(op),
        positional: fc.record(
          Object.fromEntries(
            loss.tensors(setting).map((values, i) => [loss.inputs[i] ?? '', values]),
          ),
        ),
        optional: fc.record(Object.fromEntries(weights)),
        options: fc.constant(options),
        differentiable: fc.constant([
          ...(loss.differentiable ?? loss.inputs),
          ...(loss.weightGradients ? weights.map(([name]) => name) : []),
        ]),
        scale: fc.constant(4 * loss.term(setting) * (summed ? Math.max(count, 1) : 1)),
      });
    });
}

/** A variance of one dimension less than the input is repeated along the last. */
function seenAs(op: string, shape: readonly number[], i: number, [first = []]: Shapes): number[] {
  const short = op === 'gaussianNllLoss' && i === 2 && shape.length < first.length;
  return short ? [...shape, 1] : [...shape];
}

/** The family of some losses. Their valid calls have the result's shape [2, 3], unless `resultShape` says another. */
export function familyOfLosses(
  losses: Readonly<Record<string, LossCalls>>,
  resultShape: Family['resultShape'] = () => [2, 3],
): Family {
  const lossOf = (op: string): LossCalls => {
    const loss = losses[op];
    if (!loss) throw new Error(`no calls are known of ${op}`);
    return loss;
  };
  return {
    ops: Object.keys(losses),
    draw: (op, kind, drawn) => drawCalls(op, lossOf(op), kind, drawn),
    valid: (op) => lossOf(op).valid,
    resultShape,
    wrongs: (op) => lossOf(op).wrongs,
  };
}

export const pointwiseLossFamily: Family = familyOfLosses(LOSSES, (op) =>
  op === 'diceLoss' ? [] : [2, 3],
);

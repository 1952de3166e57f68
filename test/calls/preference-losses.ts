// Takes losses of scores, preferences and policies whose tensors are all of one shape, and gives their calls.
import fc from 'fast-check';
import { floats } from './draw.ts';
import type { Family } from './family.ts';
import { alike, logProbabilities, probabilities } from './loss-values.ts';
import { familyOfLosses, type LossCalls } from './pointwise-losses.ts';
import { call, numbers, wrongOption, wrongShape, type Wrong } from './wrong.ts';

const HALF = [0.1, 0.9, 0.5, 0.25, 1, 0];
const shapesOf = (argument: string): Wrong[] => [
  wrongShape(argument, [2, 1]),
  wrongShape(argument, [3]),
  wrongShape(argument, [2, 4]),
];
const wrongs = (name: string, values: readonly unknown[]): Wrong[] =>
  values.map((value) => wrongOption(name, value));

/** A loss of tensors of one shape. */
const loss = (
  op: string,
  inputs: readonly string[],
  some: Partial<LossCalls> = {},
  magnitudeOf: (magnitude: number) => number = (m) => 4 * m,
): LossCalls => {
  const differentiable = some.differentiable ?? inputs;
  return {
    inputs,
    differentiable,
    shapes: alike(inputs.length),
    tensors: ({ shapes, kind, magnitude }) => shapes.map((shape) => floats(shape, kind, magnitude)),
    term: ({ magnitude }) => magnitudeOf(magnitude),
    valid: call(op, Object.fromEntries(inputs.map((name, i) => [name, numbers([2, 3], i)])), {
      options: { reduction: 'none' },
      differentiable,
    }),
    ...some,
    wrongs: [...inputs.slice(1).flatMap(shapesOf), ...(some.wrongs ?? [])],
  };
};
const smoothing = wrongs('labelSmoothing', [0.5, -0.25, NaN, '0']);

const losses = familyOfLosses({
  tvDistanceLoss: loss('tvDistanceLoss', ['input', 'target'], {
    reductions: ['batchmean', 'none', 'mean', 'sum'],
  }),
  bprLoss: loss('bprLoss', ['positive', 'negative']),
  dpoLoss: loss(
    'dpoLoss',
    ['policyChosenLogps', 'policyRejectedLogps', 'referenceChosenLogps', 'referenceRejectedLogps'],
    {
      differentiable: ['policyChosenLogps', 'policyRejectedLogps'],
      options: {
        beta: fc.constantFrom(0.1, 0.5, 2),
        labelSmoothing: fc.constantFrom(0, 0.1, 0.4),
        lossType: fc.constantFrom('sigmoid', 'hinge', 'ipo'),
      },
      wrongs: [
        ...wrongs('beta', [0, -0.5, NaN]),
        ...smoothing,
        ...wrongs('lossType', ['square', 0, null]),
      ],
    },
    (m) => 16 * (m + 5) * (m + 5),
  ),
  simpoLoss: loss(
    'simpoLoss',
    ['chosenLogps', 'rejectedLogps'],
    {
      options: {
        beta: fc.constantFrom(2, 0.5),
        gamma: fc.constantFrom(0.5, 0, -1),
        labelSmoothing: fc.constantFrom(0, 0.1, 0.4),
      },
      wrongs: [
        ...wrongs('beta', [0, -0.5, NaN]),
        ...wrongs('gamma', [NaN, Infinity]),
        ...smoothing,
      ],
    },
    (m) => 8 * m + 4,
  ),
  ppoClipLoss: loss(
    'ppoClipLoss',
    ['logProbs', 'oldLogProbs', 'advantages'],
    {
      differentiable: ['logProbs'],
      options: { epsLow: fc.constantFrom(0.2, 0, 0.5), epsHigh: fc.constantFrom(0.2, 0, 3) },
      magnitudes: fc.constantFrom(0.3, 2),
      tensors: ({ shapes: [a = []], kind, magnitude }) => [
        logProbabilities(a, kind, magnitude),
        logProbabilities(a, kind, magnitude),
        floats(a, kind, magnitude),
      ],
      wrongs: [...wrongs('epsLow', [1, -0.5, NaN]), ...wrongs('epsHigh', [-0.5, NaN])],
    },
    (m) => m * Math.exp(m),
  ),
  asymmetricLoss: loss(
    'asymmetricLoss',
    ['input', 'target'],
    {
      differentiable: ['input'],
      options: {
        gammaNeg: fc.constantFrom(4, 0, 2.5),
        gammaPos: fc.constantFrom(1, 0, 2),
        clip: fc.constantFrom(0.05, 0, 0.3),
        eps: fc.constantFrom(1e-8, 0.0009765625),
      },
      reductions: ['sum', 'mean', 'none'],
      valid: call(
        'asymmetricLoss',
        { input: numbers([2, 3]), target: { shape: [2, 3], dtype: 'float', data: HALF } },
        { options: { reduction: 'none' }, differentiable: ['input'] },
      ),
      tensors: ({ shapes: [a = []], kind, magnitude }) => [
        floats(a, kind, magnitude),
        probabilities(a, kind),
      ],
      wrongs: [
        ...wrongs('gammaNeg', [-1, NaN]),
        ...wrongs('gammaPos', [-1, NaN]),
        ...wrongs('clip', [-0.25, 1, NaN]),
        ...wrongs('eps', [0, -1]),
      ],
    },
    (m) => 8 * Math.max(m, 1),
  ),
});

export const preferenceLossFamily: Family = { ...losses, kinked: true };

// Takes regression losses beyond PyTorch's, and gives their calls.
import fc from 'fast-check';
import { broadcasting, floats, type Drawn } from './draw.ts';
import type { Family } from './family.ts';
import { familyOfLosses, type LossCalls, type Setting } from './pointwise-losses.ts';
import { positive, signs, type Shapes } from './loss-values.ts';
import { call, numbers, wrongOption, wrongShape, type Wrong } from './wrong.ts';

const both = (drawn: Drawn): fc.Arbitrary<Shapes> => broadcasting(2, drawn);
const any = ({ shapes: [a = [], b = []], kind, magnitude }: Setting) => [
  floats(a, kind, magnitude),
  floats(b, kind, magnitude),
];
const valid = (op: string, differentiable = ['input', 'target']) =>
  call(
    op,
    { input: numbers([2, 3]), target: numbers([2, 3], 1) },
    { options: { reduction: 'none' }, differentiable },
  );
const noBroadcast: Wrong[] = [wrongShape('target', [2, 2]), wrongShape('target', [3, 3])];

/** A loss of any two tensors that broadcast. */
const regression = (
  op: string,
  term: (magnitude: number) => number,
  options: LossCalls['options'] = {},
  wrongs: readonly Wrong[] = [],
): LossCalls => ({
  inputs: ['input', 'target'],
  shapes: both,
  options,
  tensors: any,
  term: ({ magnitude }) => term(magnitude),
  valid: valid(op),
  wrongs: [...noBroadcast, ...wrongs, wrongOption('beta', 1)],
});
const ofInput = (loss: LossCalls, op: string): LossCalls => ({
  ...loss,
  differentiable: ['input'],
  valid: valid(op, ['input']),
});

const losses = familyOfLosses({
  logCoshLoss: regression('logCoshLoss', (m) => 2 * m),
  quantileLoss: regression(
    'quantileLoss',
    (m) => 2 * m,
    { quantile: fc.constantFrom(0.5, 0, 1, 0.1, 0.75, 0.99) },
    [-0.1, 1.5, NaN, '0.5'].map((value) => wrongOption('quantile', value)),
  ),
  charbonnierLoss: regression(
    'charbonnierLoss',
    (m) => 2 * m + 2,
    { eps: fc.constantFrom(1e-3, 0.015625, 1, 2.25) },
    [0, -1, NaN].map((value) => wrongOption('eps', value)),
  ),
  barronLoss: regression(
    'barronLoss',
    (m) => 16 * m * m + 4,
    { alpha: fc.constantFrom(1, 2, 0, -2, 0.7, 1.9, -8, -1e6, 3), c: fc.constantFrom(1, 0.5, 3) },
    [
      ...[0, -1, NaN].map((value) => wrongOption('c', value)),
      ...[NaN, Infinity, -Infinity, '1'].map((value) => wrongOption('alpha', value)),
    ],
  ),
  epsilonInsensitiveLoss: regression(
    'epsilonInsensitiveLoss',
    (m) => 2 * m + 1,
    { epsilon: fc.constantFrom(0.1, 0, 0.5, 2) },
    [-0.5, NaN].map((value) => wrongOption('epsilon', value)),
  ),
  mapeLoss: {
    ...ofInput(
      regression('mapeLoss', (m) => 400 * m, {}, [wrongOption('eps', 0), wrongOption('eps', -1)]),
      'mapeLoss',
    ),
    options: { eps: fc.constantFrom(0.5, 0.0625, 1e-7) },
    tensors: ({ shapes: [a = [], b = []], kind, magnitude }) => [
      floats(a, kind, magnitude),
      kind === 'smooth' ? positive(b, kind, magnitude + 1, 0.5) : floats(b, kind, magnitude),
    ],
  },
  msleLoss: {
    ...ofInput(
      regression('msleLoss', (m) => 4 * m),
      'msleLoss',
    ),
    tensors: ({ shapes: [a = [], b = []], kind, magnitude }) => [
      kind === 'smooth' ? positive(a, kind, magnitude) : floats(a, kind, magnitude),
      floats(b, kind, magnitude),
    ],
  },
  squaredHingeLoss: {
    ...ofInput(
      regression('squaredHingeLoss', (m) => 2 * (m + 1) * (m + 1)),
      'squaredHingeLoss',
    ),
    tensors: ({ shapes: [a = [], b = []], kind, magnitude }) => [
      floats(a, kind, magnitude),
      signs(b, kind),
    ],
  },
});

export const regressionLossFamily: Family = { ...losses, kinked: true };

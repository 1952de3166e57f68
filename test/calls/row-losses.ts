// Takes losses of rows of tokens, of lists, and of survival times, and gives their calls.
import fc from 'fast-check';
import { OptionError } from '../../src/index.ts';
import type { Call, TensorSpec } from './call.ts';
import {
  floats,
  magnitudes,
  maybe,
  randomNumbers,
  reduction,
  sized,
  type Drawn,
  type Values,
} from './draw.ts';
import type { Family } from './family.ts';
import { logProbabilities } from './loss-values.ts';
import { call, constant, numbers, shaped, wrongOption, wrongShape, type Wrong } from './wrong.ts';

/** Integers from a seed, so that a failing call prints in one line. */
const integers = (shape: readonly number[], from: readonly number[]): fc.Arbitrary<TensorSpec> =>
  fc.noShrink(fc.nat()).map((seed): TensorSpec => {
    const random = randomNumbers(seed);
    const data = Array.from(
      { length: shape.reduce((n, d) => n * d, 1) },
      () => from[Math.floor(random() * from.length)] ?? 0,
    );
    const shown = {
      [fc.toStringMethod]: () =>
        `${from.join('|')} [${shape.join()}] from ${seed}${data.length < 9 ? `: ${data.join()}` : ''}`,
    };
    return { shape, dtype: 'int32', data, ...shown };
  });
const whole = (shape: readonly number[], ...data: number[]): TensorSpec => ({
  shape,
  dtype: 'int32',
  data,
});
const rows = (drawn: Drawn): fc.Arbitrary<number[]> =>
  sized(
    drawn,
    fc.oneof(
      fc.tuple(fc.nat(5), fc.nat(7)),
      fc.constant<[number, number]>([2, 700]),
      fc.constant<[number, number]>([300, 3]),
    ),
    (b, t) => [b, t],
  );

const bad = (argument: string, shape: readonly number[]): Wrong => ({
  ...wrongShape(argument, shape),
  value: shaped(shape, 'int32'),
});

const CLIPS = { epsLow: fc.constantFrom(0.2, 0, 0.5), epsHigh: fc.constantFrom(0.2, 0, 3) };

function tokens(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const options = {
    ...CLIPS,
    beta: fc.constantFrom(0, 0.04, 0.5),
    importanceSamplingLevel: fc.constantFrom('token', 'sequence'),
  };
  const types = fc.constantFrom('grpo', 'bnpo', 'dapo', 'dr_grpo');
  return fc
    .tuple(rows(drawn), maybe(options), types, fc.boolean(), fc.constantFrom(0.3, 2))
    .chain(([shape, given, lossType, masked, magnitude]) => {
      const [b = 0] = shape;
      const length = lossType === 'dr_grpo' ? { maxCompletionLength: 16 } : {};
      const probabilities = logProbabilities(shape, kind, magnitude);
      return fc.record({
        op: fc.constant(op),
        positional: fc.record({
          logProbs: probabilities,
          oldLogProbs: probabilities,
          advantages: floats([b], kind, magnitude),
        }),
        optional: fc.record({
          ...(given.beta === undefined || given.beta === 0 ? {} : { refLogProbs: probabilities }),
          ...(masked ? { mask: integers(shape, [0, 1, 1, 2]) } : {}),
        }),
        options: fc.constant({ ...given, lossType, ...length }),
        differentiable: fc.constant(['logProbs']),
        scale: fc.constant(8 * (magnitude + 1) * Math.exp(magnitude)),
      });
    });
}

export const grpoFamily: Family = {
  ops: ['grpoLoss'],
  kinked: true,
  draw: tokens,
  valid: (op) =>
    call(
      op,
      { logProbs: numbers([2, 3]), oldLogProbs: numbers([2, 3], 1), advantages: numbers([2]) },
      {
        optional: { refLogProbs: numbers([2, 3], 0), mask: whole([2, 3], 1, 1, 0, 1, 0, 0) },
        options: { beta: 0.25 },
        differentiable: ['logProbs'],
      },
    ),
  resultShape: () => [],
  wrongs: () => [
    wrongShape('logProbs', [6]),
    wrongShape('logProbs', [1, 2, 3]),
    wrongShape('oldLogProbs', [2, 1]),
    wrongShape('advantages', [3]),
    wrongShape('advantages', [2, 1]),
    wrongShape('refLogProbs', [3]),
    bad('mask', [2, 2]),
    { what: 'left out', argument: 'refLogProbs', value: constant(undefined), error: OptionError },
    ...[1, -0.5, NaN].map((value) => wrongOption('epsLow', value)),
    ...[-0.5, NaN].map((value) => wrongOption('epsHigh', value)),
    ...[-1, NaN].map((value) => wrongOption('beta', value)),
    ...['reinforce', 0].map((value) => wrongOption('lossType', value)),
    ...['batch', 1].map((value) => wrongOption('importanceSamplingLevel', value)),
    ...[0, -4, NaN, '16'].map((value) => wrongOption('maxCompletionLength', value)),
    wrongOption('reduction', 'mean'),
  ],
};

function lists(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const shapes = fc
    .tuple(rows(drawn), fc.nat(2))
    .map(([shape, how]) => (how === 0 ? shape.slice(1) : how === 1 ? [2, ...shape] : shape));
  return fc
    .tuple(
      sized(drawn, shapes, (b, t) => [b, t]),
      maybe({ reduction }),
      fc.boolean(),
      magnitudes,
    )
    .chain(([shape, options, masked, magnitude]) => {
      const n = shape.at(-1) ?? 1;
      const count = shape.reduce((product, d) => product * d, 1) / Math.max(n, 1);
      return fc.record({
        op: fc.constant(op),
        positional: fc.record({
          input: floats(shape, kind, magnitude),
          target: floats(shape, 'smooth', 1, true),
        }),
        optional: masked
          ? fc.record({ where: integers(shape, [0, 1, 1, 3]) })
          : fc.constant<Call['optional']>({}),
        options: fc.constant(options),
        differentiable: fc.constant(['input']),
        scale: fc.constant(
          8 * (magnitude + 8) * Math.min(n, 64) * (options.reduction === 'sum' ? count : 1),
        ),
      });
    });
}

export const listFamily: Family = {
  ops: ['listNetLoss'],
  draw: lists,
  valid: (op) =>
    call(
      op,
      { input: numbers([2, 3]), target: numbers([2, 3], 0) },
      {
        optional: { where: whole([2, 3], 1, 1, 0, 1, 0, 1) },
        options: { reduction: 'none' },
        differentiable: ['input'],
      },
    ),
  resultShape: () => [2],
  wrongs: () => [
    wrongShape('input', []),
    wrongShape('target', [2, 1]),
    wrongShape('target', [3]),
    bad('where', [3]),
    bad('where', [2, 2]),
    wrongOption('weight', 1),
  ],
};

/** Times with ties: quarters. */
const times = (n: number): fc.Arbitrary<TensorSpec> =>
  integers([n], [0, 1, 2, 3, 5, 8, 13, 40, 41, 99, -7]).map((spec): TensorSpec => ({
    ...spec,
    dtype: 'float',
    data: spec.data.map((v) => v / 4),
  }));

function survivals(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const own = fc.oneof(
    { arbitrary: fc.nat(9), weight: 5 },
    { arbitrary: fc.integer({ min: 200, max: 3000 }), weight: 1 },
  );
  const sizes = sized(
    drawn,
    own.map((n) => n),
    (r, c) => Math.min(r * c, 20_000),
  );
  return fc.tuple(sizes, maybe({ reduction }), magnitudes).chain(([n, options, magnitude]) =>
    fc.record({
      op: fc.constant(op),
      positional: fc.record({
        input: floats([n], kind, magnitude),
        time: times(n),
        event: integers([n], [0, 1, 1]),
      }),
      optional: fc.constant<Call['optional']>({}),
      options: fc.constant(options),
      differentiable: fc.constant(['input']),
      scale: fc.constant(8 * (magnitude + 10) * (options.reduction === 'sum' ? Math.max(n, 1) : 1)),
    }),
  );
}

export const survivalFamily: Family = {
  ops: ['coxPhLoss'],
  draw: survivals,
  valid: (op) =>
    call(
      op,
      { input: numbers([3]), time: numbers([3], 2), event: whole([3], 1, 0, 1) },
      { options: { reduction: 'none' }, differentiable: ['input'] },
    ),
  resultShape: () => [3],
  wrongs: () => [
    wrongShape('input', [3, 1]),
    wrongShape('input', []),
    wrongShape('time', [2]),
    bad('event', [4]),
    wrongOption('ties', 'efron'),
  ],
};

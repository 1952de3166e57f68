// Takes the CTC loss, and gives its calls.
import fc from 'fast-check';
import {
  DTypeError,
  IndexOutOfRangeError,
  logSoftmax,
  ShapeError,
  tensor,
} from '../../src/index.ts';
import type { Call, TensorSpec } from './call.ts';
import { floats, maybe, reduction, sized, type Drawn, type Values } from './draw.ts';
import type { Family } from './family.ts';
import { logProbabilities } from './loss-values.ts';
import { call, classes, numbers, shaped, wrongOption, wrongShape, type Wrong } from './wrong.ts';

interface Extents {
  readonly steps: number;
  readonly batch: number;
  readonly classes: number;
  readonly labels: number;
}

const ownExtents: fc.Arbitrary<Extents> = fc.oneof(
  {
    arbitrary: fc.record({
      steps: fc.integer({ min: 1, max: 9 }),
      batch: fc.integer({ min: 0, max: 4 }),
      classes: fc.integer({ min: 1, max: 6 }),
      labels: fc.integer({ min: 0, max: 4 }),
    }),
    weight: 6,
  },
  { arbitrary: fc.constant({ steps: 50, batch: 3, classes: 37, labels: 20 }), weight: 1 },
  { arbitrary: fc.constant({ steps: 90, batch: 1, classes: 5, labels: 40 }), weight: 1 },
);

const integers = (count: number, least: number, most: number): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: least, max: most }), { minLength: count, maxLength: count });

/** Numbers taken for log-probabilities: not above 0 where they may be of any size. */
const scores = (
  shape: readonly number[],
  kind: Values,
  magnitude: number,
): fc.Arbitrary<TensorSpec> =>
  kind === 'smooth' || kind === 'any'
    ? floats(shape, kind, magnitude)
    : logProbabilities(shape, kind, magnitude);

function ctcCalls(kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const extents = sized(drawn, ownExtents, (rows, columns) => ({
    steps: Math.min(rows, 60),
    batch: Math.min(Math.ceil(2 ** 16 / (rows * columns)), 8),
    classes: columns,
    labels: Math.min(rows, 20),
  }));
  const forms = fc.constantFrom('padded', 'flat', 'single');
  return fc
    .tuple(
      extents,
      forms,
      fc.constantFrom(0.5, 3, 8),
      maybe({ reduction, zeroInfinity: fc.boolean() }),
    )
    .chain(([{ steps, batch, classes: c, labels }, form, magnitude, options]) => {
      const n = form === 'single' ? 1 : batch;
      const targets = integers(n * labels, 0, c - 1);
      // Smooth ones have a path: their loss is finite.
      const most = kind === 'smooth' ? Math.min(labels, Math.floor(steps / 2)) : labels;
      const lengths = fc.tuple(
        integers(n, kind === 'smooth' ? steps : 0, steps),
        integers(n, 0, most),
      );
      return fc
        .tuple(
          scores(form === 'single' ? [steps, c] : [steps, n, c], kind, magnitude),
          targets,
          lengths,
          fc.integer({ min: 0, max: c - 1 }),
        )
        .map(([logProbs, drawn, [inputLengths, targetLengths], blank]): Call => {
          const total = targetLengths.reduce((a, b) => a + b, 0);
          const flat = form === 'flat';
          const int32 = (data: readonly number[], shape: readonly number[]): TensorSpec => ({
            shape,
            dtype: 'int32',
            data,
          });
          const lengthShape = form === 'single' ? [] : [n];
          const scale = 8 * (options.reduction === 'sum' ? Math.max(n, 1) : 1);
          return {
            op: 'ctcLoss',
            positional: {
              logProbs,
              targets: flat
                ? int32(drawn.slice(0, total), [total])
                : int32(drawn, form === 'single' ? [labels] : [n, labels]),
              inputLengths: int32(inputLengths, lengthShape),
              targetLengths: int32(targetLengths, lengthShape),
            },
            optional: {},
            options: { ...options, blank },
            differentiable: ['logProbs'],
            scale,
            scales: { out: scale * magnitude, logProbs: scale },
          };
        });
    });
}

const integersAs =
  (values: number[], shape: number[] = [values.length]): Wrong['value'] =>
  ({ device }) =>
    tensor(values, { shape, dtype: 'int32', device });

export const ctcFamily: Family = {
  ops: ['ctcLoss'],
  adaptive: true,
  draw: (_op, kind, drawn) => ctcCalls(kind, drawn),
  // Its gradient is that of the logits behind a log-softmax.
  through: ({ tensors: { logProbs } }) =>
    logProbs ? { logProbs: logSoftmax(logProbs, { dim: -1 }) } : {},
  valid: (op) =>
    call(
      op,
      {
        logProbs: numbers([4, 2, 3]),
        targets: { shape: [2, 2], dtype: 'int32', data: [1, 2, 2, 1] },
        inputLengths: classes(4, 3),
        targetLengths: classes(2, 1),
      },
      { options: { reduction: 'none' } },
    ),
  resultShape: () => [2],
  wrongs: () => [
    wrongShape('logProbs', [4]),
    wrongShape('logProbs', [4, 2, 3, 1]),
    wrongShape('logProbs', [0, 2, 3]),
    {
      what: 'of rank 3',
      argument: 'targets',
      value: shaped([2, 2, 1], 'int32'),
      error: ShapeError,
    },
    {
      what: 'of other rows',
      argument: 'targets',
      value: shaped([3, 2], 'int32'),
      error: ShapeError,
    },
    {
      what: 'one after another, too many',
      argument: 'targets',
      value: shaped([4], 'int32'),
      error: ShapeError,
    },
    {
      what: 'with a label that is no class',
      argument: 'targets',
      value: integersAs([1, 2, 3, 1], [2, 2]),
      error: IndexOutOfRangeError,
    },
    {
      what: 'with a negative label',
      argument: 'targets',
      value: integersAs([-1, 2, 2, 1], [2, 2]),
      error: IndexOutOfRangeError,
    },
    ...(['inputLengths', 'targetLengths'] as const).flatMap((argument): Wrong[] => [
      { what: 'of another batch', argument, value: integersAs([1, 1, 1]), error: ShapeError },
      { what: 'of rank 2', argument, value: integersAs([1, 1], [2, 1]), error: ShapeError },
      { what: 'too long', argument, value: integersAs([1, 5]), error: IndexOutOfRangeError },
      { what: 'below 0', argument, value: integersAs([-1, 1]), error: IndexOutOfRangeError },
      { what: '= [1, 5]', argument, value: () => [1, 5], error: IndexOutOfRangeError },
      { what: '= [1, 0.5]', argument, value: () => [1, 0.5], error: DTypeError },
      { what: '= [1, NaN]', argument, value: () => [1, NaN], error: DTypeError },
      { what: "= [1, '1']", argument, value: () => [1, '1'], error: DTypeError },
      { what: '= [1, 1, 1]', argument, value: () => [1, 1, 1], error: ShapeError },
    ]),
    wrongOption('blank', 3),
    wrongOption('blank', -1),
    wrongOption('blank', 0.5),
    wrongOption('zeroInfinity', 1),
    wrongOption('zeroInfinity', null),
  ],
};

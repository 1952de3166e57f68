// Takes losses of overlap between regions, and gives their calls.
import fc from 'fast-check';
import { IndexOutOfRangeError, ShapeError, tensor } from '../../src/index.ts';
import { sizeOf } from '../../src/core/shape.ts';
import type { Call, TensorSpec } from './call.ts';
import { floats, magnitudes, maybe, randomNumbers, reduction, sized } from './draw.ts';
import type { Drawn, Values } from './draw.ts';
import type { Family } from './family.ts';
import { call, numbers, shaped, wrongOption, wrongShape, type Wrong } from './wrong.ts';

const OPS = ['diceWithLogits', 'jaccardLoss', 'tverskyLoss', 'focalTverskyLoss'];
const WEIGHTS = { alpha: fc.constantFrom(0.5, 0.25, 1), beta: fc.constantFrom(0.5, 0.75, 0) };
/** Options that an op has beside those of all. */
const OWN: Readonly<Record<string, Record<string, fc.Arbitrary<unknown>>>> = {
  tverskyLoss: WEIGHTS,
  focalTverskyLoss: { ...WEIGHTS, gamma: fc.constantFrom(0.75, 1, 2) },
};
const IGNORED = 255;

/** Class indices, some of them ignored. */
const labels = (shape: readonly number[], n: number, ignored: boolean): fc.Arbitrary<TensorSpec> =>
  fc.nat().map((seed): TensorSpec => {
    const random = randomNumbers(seed);
    const data = Array.from({ length: sizeOf(shape) }, () =>
      ignored && random() < 0.2 ? IGNORED : Math.floor(random() * n),
    );
    return { shape, dtype: 'int32', data };
  });

/** 0 and 1, or numbers between, some of them ignored. */
const shares = (
  shape: readonly number[],
  soft: boolean,
  ignored: boolean,
): fc.Arbitrary<TensorSpec> =>
  fc.nat().map((seed): TensorSpec => {
    const random = randomNumbers(seed);
    const data = Array.from({ length: sizeOf(shape) }, () => {
      if (ignored && random() < 0.2) return IGNORED;
      return soft ? Math.fround(0.1 + 0.8 * random()) : Number(random() < 0.4);
    });
    return { shape, dtype: 'float', data };
  });

function drawCalls(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const own = fc
    .record({
      batch: fc.integer({ min: 0, max: 4 }),
      classes: fc.integer({ min: 1, max: 7 }),
      inner: fc.oneof(
        { arbitrary: fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 2 }), weight: 4 },
        { arbitrary: fc.integer({ min: 60, max: 200 }).map((n) => [n]), weight: 1 },
      ),
    })
    .map(({ batch, classes, inner }) => [batch, classes, ...inner]);
  // Hostile rows are along the classes, or along the positions.
  const shapes = sized(drawn, own, (rows, columns) =>
    rows > 8 ? [rows, columns] : [1, rows, columns],
  );
  const forms = fc.record({
    mode: fc.constantFrom('multiclass', 'multilabel', 'binary'),
    soft: fc.boolean(),
    ignored: fc.boolean(),
    // Probabilities are from 0 to 1.
    plain: kind === 'smooth' ? fc.boolean() : fc.constant(false),
  });
  const options = maybe({
    smooth: fc.constantFrom(0, 0.5, 1),
    eps: fc.constantFrom(1e-7, 0.0009765625),
    logLoss: fc.boolean(),
    reduction,
    ...OWN[op],
  });
  return fc
    .tuple(shapes, forms, magnitudes, options)
    .chain(([shape, { mode, soft, ignored, plain }, magnitude, given]) => {
      const n = mode === 'binary' ? 1 : (shape[1] ?? 1);
      const target =
        mode === 'multiclass'
          ? labels(
              shape.filter((_, d) => d !== 1),
              n,
              ignored,
            )
          : shares(shape, soft, ignored);
      const probabilities = floats(shape, 'smooth', 0.9, true);
      return fc.record({
        op: fc.constant(op),
        positional: fc.record({
          input: plain ? probabilities : floats(shape, kind, magnitude),
          target,
        }),
        optional: fc.constant({}),
        options: fc.constant({
          ...given,
          ...(mode === 'multiclass' ? {} : { mode }),
          ...(ignored ? { ignoreIndex: IGNORED } : {}),
          ...(plain ? { fromLogits: false } : {}),
        }),
        differentiable: fc.constant(['input']),
        // Losses of classes are up to 1, logarithms up to 16; of slopes they are powers and quotients.
        scale: fc.constant(
          (given.logLoss === true ? 64 : 8) * (given.reduction === 'sum' ? Math.max(n, 1) : 1),
        ),
      });
    });
}

export const regionLossFamily: Family = {
  ops: OPS,
  draw: drawCalls,
  valid: (op) =>
    call(
      op,
      {
        input: numbers([2, 3, 2]),
        target: { shape: [2, 2], dtype: 'int32', data: [0, 2, 1, 1] },
      },
      { options: { reduction: 'none' } },
    ),
  resultShape: () => [3],
  wrongs: (op) => [
    wrongShape('input', [3]),
    wrongShape('input', [2, 0, 2]),
    {
      what: 'of other rows',
      argument: 'target',
      value: shaped([2, 3], 'int32'),
      error: ShapeError,
    },
    { what: 'of rank 3', argument: 'target', value: shaped([2, 1, 2], 'int32'), error: ShapeError },
    ...[3, -1, 2 ** 31 - 1].map((index): Wrong => ({
      what: `with class ${index}`,
      argument: 'target',
      value: ({ device }) => tensor([0, index, 0, 1], { shape: [2, 2], dtype: 'int32', device }),
      error: IndexOutOfRangeError,
    })),
    wrongOption('mode', 'binaryclass'),
    wrongOption('fromLogits', 1),
    wrongOption('logLoss', 'yes'),
    ...[-1, NaN].map((value) => wrongOption('smooth', value)),
    ...[0, -1, '1'].map((value) => wrongOption('eps', value)),
    ...[0.5, NaN].map((value) => wrongOption('ignoreIndex', value)),
    ...(op in OWN ? [wrongOption('alpha', -0.5), wrongOption('beta', -0.5)] : []),
    ...(op === 'focalTverskyLoss' ? [0, -1].map((value) => wrongOption('gamma', value)) : []),
  ],
};

// Takes losses of input and target alone, and class losses, and gives their calls.
import fc from 'fast-check';
import { IndexOutOfRangeError, ShapeError, tensor } from '../../src/index.ts';
import { broadcastShapes, sizeOf } from '../../src/core/shape.ts';
import type { Call, TensorSpec } from './call.ts';
import {
  broadcasting,
  floats,
  magnitudes,
  maybe,
  params,
  reduction,
  sized,
  type Drawn,
  type Values,
} from './draw.ts';
import type { Family } from './family.ts';
import { call, classes, numbers, shaped, wrongOption, wrongShape, type Wrong } from './wrong.ts';

function lossCalls(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  return fc
    .tuple(broadcasting(2, drawn), magnitudes, maybe({ ...params(op), reduction }), fc.boolean())
    .chain(([[first = [], second = []], magnitude, options, weighted]) => {
      const count = sizeOf(broadcastShapes(op, [first, second]));
      const weights: Record<string, fc.Arbitrary<TensorSpec>> = weighted
        ? { weight: floats(first, 'smooth', 2, true) }
        : {};
      const { reduction = 'mean' } = options;
      // A mean by weights divides by as many of them as the input has.
      const averaged = reduction === 'mean' && (!weighted || count === sizeOf(first));
      return fc.record({
        op: fc.constant(op),
        positional: fc.record({
          input: floats(first, kind, magnitude),
          target: floats(second, kind, magnitude),
        }),
        optional: fc.record(weights),
        options: fc.constant(options),
        differentiable: fc.constant(['input', 'target', ...Object.keys(weights)]),
        // Of a mean, a sum or a gradient added up over repeated elements.
        scale: fc.constant(
          4 * magnitude * magnitude * (weighted ? 4 : 1) * (averaged ? 1 : Math.max(count, 1)),
        ),
      });
    });
}

/** Losses whose scores are cosines. */
const COSINES: readonly string[] = ['arcFaceLoss', 'cosFaceLoss'];

function classLossCalls(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const own = fc.record({
    batch: fc.integer({ min: 0, max: 6 }),
    classes: fc.oneof(
      { arbitrary: fc.integer({ min: 1, max: 7 }), weight: 5 },
      { arbitrary: fc.integer({ min: 900, max: 1300 }), weight: 1 },
    ),
    inner: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
    single: fc.boolean(),
  });
  const sizes = sized(drawn, own, (batch, n) => ({
    batch,
    classes: n,
    inner: batch % 3 === 0 && n < 600 ? [2] : [],
    single: false,
  }));
  const forms = fc.record({
    weighted: fc.boolean(),
    soft: fc.boolean(),
    ignored: fc.boolean(),
  });
  const smooth =
    op === 'crossEntropy'
      ? {
          labelSmoothing: fc.constantFrom(0, 0.1, 0.5, 1),
          // Powers of two: others divide logits with a rounding that large ones are not told apart by.
          ...(kind === 'smooth' || kind === 'any'
            ? {
                temperature: fc.constantFrom(1, 0.5, 2),
                softcap: fc.constantFrom(5, 30, Infinity),
                zLoss: fc.constantFrom(0, 1e-4, 0.125),
              }
            : {}),
        }
      : {};
  const cosines = COSINES.includes(op);
  return fc
    .tuple(
      sizes,
      forms,
      cosines ? fc.constantFrom(0.5, 0.95) : magnitudes,
      maybe({ ...params(op), reduction, ...smooth }),
    )
    .chain(([{ batch, classes, inner, single }, form, magnitude, options]) => {
      const { weighted, soft, ignored } = form;
      const shape = single ? [classes] : [batch, classes, ...inner];
      const rows = single ? [] : [batch, ...inner];
      const count = sizeOf(rows);
      const probabilities = op === 'crossEntropy' && soft;
      const ignoreIndex = ignored && !probabilities ? { ignoreIndex: classes - 1 } : {};
      const target = probabilities
        ? floats(shape, 'smooth', 1, true)
        : fc
            .array(fc.integer({ min: 0, max: classes - 1 }), { minLength: count, maxLength: count })
            .map((data): TensorSpec => ({ shape: rows, dtype: 'int32', data }));
      const optional: Record<string, fc.Arbitrary<TensorSpec>> = weighted
        ? {
            weight: floats([classes], 'smooth', 2, true),
          }
        : {};
      return fc.record({
        op: fc.constant(op),
        positional: fc.record({ input: floats(shape, kind, magnitude), target }),
        optional: fc.record(optional),
        options: fc.constant({ ...options, ...ignoreIndex }),
        differentiable: fc.constant(probabilities ? ['input', 'target'] : ['input']),
        scale: fc.constant(
          4 *
            Math.max(magnitude, 8) *
            (options.reduction === 'sum' ? Math.max(count, 1) : 1) *
            // The square of the logarithm of a sum, and temperatures of a half.
            (op === 'crossEntropy' ? 4 : 1) *
            (cosines ? Number(options.s ?? 64) : 1) *
            (probabilities ? Math.min(classes, 50) : 1),
        ),
      });
    });
}

/** Losses declared with `defineLoss` of input and target alone. */
export const lossFamily: Family = {
  ops: ['huberLoss', 'l1Loss', 'mseLoss'],
  draw: lossCalls,
  valid: (op) =>
    call(
      op,
      { input: numbers([2, 3]), target: numbers([2, 3], 1) },
      { optional: { weight: numbers([2, 3]) }, options: { reduction: 'none' } },
    ),
  resultShape: () => [2, 3],
  wrongs: (op) => [
    wrongShape('target', [2, 2]),
    wrongShape('target', [3, 3]),
    // As in PyTorch a weight is not broadcast.
    wrongShape('weight', [3]),
    wrongShape('weight', [2, 1]),
    wrongShape('weight', []),
    ...(op === 'huberLoss' ? [wrongOption('delta', 0), wrongOption('delta', -1)] : []),
  ],
};

export const classLossFamily: Family = {
  ops: ['nllLoss', 'crossEntropy', 'focalLoss', 'polyLoss', 'generalizedCrossEntropy', ...COSINES],
  adaptive: true,
  draw: classLossCalls,
  valid: (op) =>
    call(
      op,
      { input: numbers([2, 3]), target: classes(0, 2) },
      { optional: { weight: numbers([3]) }, options: { reduction: 'sum' } },
    ),
  resultShape: () => [],
  wrongs: (op) => [
    wrongShape('input', []),
    { what: 'of other rows', argument: 'target', value: shaped([3], 'int32'), error: ShapeError },
    { what: 'of rank 2', argument: 'target', value: shaped([2, 1], 'int32'), error: ShapeError },
    ...[3, -1, -99, 2 ** 31 - 1].map((index): Wrong => ({
      what: `with class ${index}`,
      argument: 'target',
      value: ({ device }) => tensor([0, index], { dtype: 'int32', device }),
      error: IndexOutOfRangeError,
    })),
    wrongShape('weight', [2]),
    wrongShape('weight', [3, 1]),
    wrongOption('ignoreIndex', 0.5),
    wrongOption('ignoreIndex', NaN),
    wrongOption('ignoreIndex', '1'),
    ...(op === 'focalLoss' ? [wrongOption('gamma', -0.5)] : []),
    ...(op === 'polyLoss' ? [NaN, '1'].map((value) => wrongOption('epsilon', value)) : []),
    ...(op === 'generalizedCrossEntropy'
      ? [0, -0.5, 1.5, NaN].map((value) => wrongOption('q', value))
      : []),
    ...(COSINES.includes(op) ? [0, -1, '64'].map((value) => wrongOption('s', value)) : []),
    ...(op === 'arcFaceLoss'
      ? [
          ...[-0.5, Math.PI / 2, NaN].map((value) => wrongOption('m', value)),
          wrongOption('easyMargin', 1),
        ]
      : []),
    ...(op === 'crossEntropy'
      ? [
          ...[-0.1, 1.5, NaN, '0'].map((value) => wrongOption('labelSmoothing', value)),
          ...['temperature', 'softcap'].flatMap((name) =>
            [0, -1, NaN, null].map((value) => wrongOption(name, value)),
          ),
          wrongOption('zLoss', -1),
          wrongOption('zLoss', '0'),
        ]
      : [wrongOption('labelSmoothing', 0.1)]),
  ],
};

// Takes linearCrossEntropy, and gives its calls: few and many classes, in one chunk and in several, indices and
// probabilities.
import fc from 'fast-check';
import { IndexOutOfRangeError, ShapeError, tensor } from '../../src/index.ts';
import { sizeOf } from '../../src/core/shape.ts';
import type { Call, TensorSpec } from './call.ts';
import {
  finite,
  floats,
  magnitudes,
  maybe,
  reduction,
  sized,
  type Drawn,
  type Values,
} from './draw.ts';
import type { Family } from './family.ts';
import { call, classes, numbers, shaped, wrongOption, wrongShape, type Wrong } from './wrong.ts';

function draw(kind: Values, shapes: Drawn): fc.Arbitrary<Call> {
  const own = fc.record({
    batch: fc.oneof(
      { arbitrary: fc.integer({ min: 0, max: 6 }), weight: 4 },
      { arbitrary: fc.integer({ min: 30, max: 70 }), weight: 1 },
    ),
    // More than 128 are taken in chunks where the budget is small.
    count: fc.oneof(
      { arbitrary: fc.integer({ min: 1, max: 9 }), weight: 3 },
      { arbitrary: fc.constantFrom(128, 129, 255, 256, 300, 391), weight: 2 },
    ),
    features: fc.integer({ min: 1, max: 9 }),
    inner: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
    single: fc.boolean(),
  });
  const extents = sized(shapes, own, (batch, count) => ({
    batch,
    count,
    features: 5,
    inner: [],
    single: false,
  }));
  const forms = fc.record({
    biased: fc.boolean(),
    weighted: fc.boolean(),
    soft: fc.boolean(),
    ignored: fc.boolean(),
  });
  const options = maybe({
    reduction,
    labelSmoothing: fc.constantFrom(0, 0.1, 0.5, 1),
    // Powers of two: others divide logits with a rounding that large ones are not told apart by.
    ...(kind === 'smooth' || kind === 'any'
      ? {
          temperature: fc.constantFrom(1, 2),
          softcap: fc.constantFrom(5, 30, Infinity),
          zLoss: fc.constantFrom(0, 1e-4, 0.125),
        }
      : {}),
    memoryBudget: fc.constantFrom(1, 2 ** 20),
  });
  return fc.tuple(extents, forms, magnitudes, options).chain(([drawn, form, magnitude, given]) => {
    const { batch, count, features } = drawn;
    const { biased, weighted, soft, ignored } = form;
    const single = drawn.single && drawn.inner.length === 0;
    const lead = single ? [] : [batch];
    const rows = sizeOf([...lead, ...drawn.inner]);
    const target = soft
      ? floats([...lead, count, ...drawn.inner], 'smooth', 1, true)
      : fc
          .array(fc.integer({ min: 0, max: count - 1 }), { minLength: rows, maxLength: rows })
          .map((data): TensorSpec => ({ shape: [...lead, ...drawn.inner], dtype: 'int32', data }));
    const optional: Record<string, fc.Arbitrary<TensorSpec>> = {
      ...(biased ? { linearBias: finite([count, ...drawn.inner], 1) } : {}),
      ...(weighted ? { weight: floats([count], 'smooth', 2, true) } : {}),
    };
    // Logits are sums of this size, and losses and gradients off by as much of theirs.
    const logits = Math.max(8, magnitude * features);
    const summed = given.reduction === 'sum' ? Math.max(rows, 1) : 1;
    const spread = soft ? Math.min(count, 50) : 1;
    const squared = given.zLoss === undefined ? 1 : 4;
    const scale = 4 * logits * summed * spread * squared;
    return fc.record({
      op: fc.constant('linearCrossEntropy'),
      positional: fc.record({
        input: floats([...lead, features], kind, magnitude),
        linearWeight: finite([count, ...drawn.inner, features], 1),
        target,
      }),
      optional: fc.record(optional),
      options: fc.constant({ ...given, ...(ignored && !soft ? { ignoreIndex: count - 1 } : {}) }),
      differentiable: fc.constant([
        'input',
        'linearWeight',
        ...(soft ? ['target'] : []),
        ...(biased ? ['linearBias'] : []),
      ]),
      scale: fc.constant(scale),
      scales: fc.constant({
        input: scale * sizeOf(drawn.inner),
        linearWeight: scale * Math.max(1, magnitude) * Math.max(1, batch),
        linearBias: scale * Math.max(1, batch),
      }),
    });
  });
}

export const linearCrossEntropyFamily: Family = {
  ops: ['linearCrossEntropy'],
  adaptive: true,
  draw: (_op, kind, drawn) => draw(kind, drawn),
  valid: (op) =>
    call(
      op,
      { input: numbers([2, 3]), linearWeight: numbers([4, 3], -1), target: classes(0, 3) },
      {
        optional: { linearBias: numbers([4]), weight: numbers([4]) },
        options: { reduction: 'sum', labelSmoothing: 0.1, memoryBudget: 1e6 },
      },
    ),
  resultShape: () => [],
  wrongs: () => [
    wrongShape('input', []),
    wrongShape('input', [2, 4]),
    wrongShape('input', [1, 2, 3]),
    wrongShape('linearWeight', [3]),
    wrongShape('linearWeight', [0, 3]),
    wrongShape('linearWeight', [4, 2], 'input'),
    wrongShape('linearWeight', [4, 2, 3], 'linearBias'),
    wrongShape('linearBias', [3]),
    wrongShape('linearBias', [1, 4]),
    wrongShape('weight', [3]),
    wrongShape('weight', [4, 1]),
    { what: 'of other rows', argument: 'target', value: shaped([3], 'int32'), error: ShapeError },
    { what: 'of rank 2', argument: 'target', value: shaped([2, 1], 'int32'), error: ShapeError },
    ...[4, -1, -99, 2 ** 31 - 1].map((index): Wrong => ({
      what: `with class ${index}`,
      argument: 'target',
      value: ({ device }) => tensor([0, index], { dtype: 'int32', device }),
      error: IndexOutOfRangeError,
    })),
    ...[0.5, NaN, '1', null].map((value) => wrongOption('ignoreIndex', value)),
    ...[-0.1, 1.5, NaN, '0', null].map((value) => wrongOption('labelSmoothing', value)),
    ...[0, -1, NaN, '1', null].flatMap((value) => [
      wrongOption('memoryBudget', value),
      wrongOption('temperature', value),
      wrongOption('softcap', value),
    ]),
    wrongOption('zLoss', -1),
  ],
};

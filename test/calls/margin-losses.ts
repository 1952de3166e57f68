// Takes losses that compare the scores of a row with each other, and the adaptive softmax, and gives their calls.
import fc from 'fast-check';
import { IndexOutOfRangeError, ShapeError, tensor } from '../../src/index.ts';
import { sizeOf } from '../../src/core/shape.ts';
import type { Call, TensorSpec } from './call.ts';
import { floats, magnitudes, maybe, reduction, sized, type Drawn, type Values } from './draw.ts';
import type { Family } from './family.ts';
import { call, classes, numbers, shaped, wrongOption, wrongShape, type Wrong } from './wrong.ts';

const batches = fc.oneof(
  { arbitrary: fc.integer({ min: 0, max: 6 }), weight: 3 },
  { arbitrary: fc.integer({ min: 7, max: 40 }), weight: 1 },
);
const classCounts = fc.oneof(
  { arbitrary: fc.integer({ min: 1, max: 7 }), weight: 5 },
  { arbitrary: fc.integer({ min: 30, max: 70 }), weight: 2 },
  { arbitrary: fc.integer({ min: 900, max: 1300 }), weight: 1 },
);

/** Of a batch, or of a row alone. */
const ownShapes = fc
  .tuple(batches, classCounts, fc.boolean())
  .map(([batch, n, single]) => (single ? [n] : [n > 100 ? batch % 4 : batch, n]));

const scoreShapes = (drawn: Drawn): fc.Arbitrary<number[]> =>
  sized(drawn, ownShapes, (r, c) => [r, c]);

/** What sums of a row's terms, over rows, are relative to; gradients are relative to the classes that push. */
function scalesOf(
  shape: readonly number[],
  largest: number,
  slope: number,
  options: Readonly<Record<string, unknown>>,
): Pick<Call, 'scale' | 'scales'> {
  const rows = sizeOf(shape.slice(0, -1));
  return {
    scale: largest * (options.reduction === 'sum' ? Math.max(rows, 1) : 1),
    scales: { input: slope, target: slope },
  };
}

function multiMarginCalls(kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const options = maybe({
    p: fc.constantFrom(1, 2),
    margin: fc.constantFrom(0, 0.5, -0.75, 2),
    reduction,
  });
  return fc
    .tuple(scoreShapes(drawn), magnitudes, options, fc.boolean())
    .chain(([shape, magnitude, given, weighted]) => {
      const n = shape.at(-1) ?? 1;
      const rows = shape.slice(0, -1);
      const index = fc.integer({ min: 0, max: n - 1 });
      const z = 2 * magnitude + 2;
      const optional: Record<string, fc.Arbitrary<TensorSpec>> = weighted
        ? { weight: floats([n], 'smooth', 2, true) }
        : {};
      return fc.record({
        op: fc.constant('multiMarginLoss'),
        positional: fc.record({
          input: floats(shape, kind, magnitude),
          target: fc
            .array(index, { minLength: sizeOf(rows), maxLength: sizeOf(rows) })
            .map((data): TensorSpec => ({ shape: rows, dtype: 'int32', data })),
        }),
        optional: fc.record(optional),
        options: fc.constant(given),
        differentiable: fc.constant(['input']),
        ...constants(scalesOf(shape, 2 * z ** (given.p === 2 ? 2 : 1), 4 * z, given)),
      });
    });
}

/** Lists of labels: some ended at once, some with a label twice, some full. */
function labelLists(shape: readonly number[]): fc.Arbitrary<TensorSpec> {
  const n = shape.at(-1) ?? 1;
  const rows = sizeOf(shape.slice(0, -1));
  const list = fc
    .tuple(
      fc.array(fc.integer({ min: 0, max: n - 1 }), { minLength: 0, maxLength: Math.min(n, 40) }),
      fc.boolean(),
    )
    .map(([labels, twice]) => {
      const kept = twice ? labels : [...new Set(labels)];
      // Behind the end there may be anything.
      return Array.from({ length: n }, (_, i) => kept[i] ?? (i === kept.length ? -1 : i % n));
    });
  return fc
    .array(list, { minLength: rows, maxLength: rows })
    .map((lists) => ({ shape, dtype: 'int32', data: lists.flat() }));
}

function multilabelMarginCalls(kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  return fc
    .tuple(scoreShapes(drawn), magnitudes, maybe({ reduction }))
    .chain(([shape, magnitude, given]) => {
      const labels = Math.min(shape.at(-1) ?? 1, 40);
      return fc.record({
        op: fc.constant('multilabelMarginLoss'),
        positional: fc.record({
          input: floats(shape, kind, magnitude),
          target: labelLists(shape),
        }),
        optional: fc.constant({}),
        options: fc.constant(given),
        differentiable: fc.constant(['input']),
        ...constants(scalesOf(shape, labels * (2 * magnitude + 1), labels, given)),
      });
    });
}

function softMarginCalls(kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const deeper = fc
    .tuple(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }), classCounts)
    .map(([lead, n]) => [...lead, n > 100 ? 0 : n]);
  const scores = sized(drawn, fc.oneof(ownShapes, deeper), (r, c) => [r, c]);
  return fc
    .tuple(scores, magnitudes, maybe({ reduction }), fc.boolean())
    .chain(([shape, magnitude, given, weighted]) => {
      const optional: Record<string, fc.Arbitrary<TensorSpec>> = weighted
        ? { weight: floats([shape.at(-1) ?? 1], 'smooth', 2, true) }
        : {};
      return fc.record({
        op: fc.constant('multilabelSoftMarginLoss'),
        positional: fc.record({
          input: floats(shape, kind, magnitude),
          target: floats(shape, 'smooth', 1, true),
        }),
        optional: fc.record(optional),
        options: fc.constant(given),
        differentiable: fc.constant(['input', 'target']),
        ...constants(scalesOf(shape, 2 * magnitude + 2, 2 * magnitude + 2, given)),
      });
    });
}

function constants<T extends object>(values: T): { [K in keyof T]: fc.Arbitrary<T[K]> } {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, fc.constant(value as unknown)]),
  ) as { [K in keyof T]: fc.Arbitrary<T[K]> };
}

type Draw = (kind: Values, drawn: Drawn) => fc.Arbitrary<Call>;

const DRAWS: Readonly<Record<string, Draw>> = {
  multiMarginLoss: multiMarginCalls,
  multilabelMarginLoss: multilabelMarginCalls,
  multilabelSoftMarginLoss: softMarginCalls,
};

function drawOf(op: string): Draw {
  const draw = DRAWS[op];
  if (!draw) throw new Error(`no calls of ${op}`);
  return draw;
}

const withIndices = (shape: readonly number[], data: readonly number[]): Wrong => ({
  what: `of indices ${data.join()}`,
  argument: 'target',
  value: ({ device }) => tensor([...data], { shape, dtype: 'int32', device }),
  error: IndexOutOfRangeError,
});
const withShape = (shape: readonly number[]): Wrong => ({
  what: `of shape [${shape.join()}]`,
  argument: 'target',
  value: shaped(shape, 'int32'),
  error: ShapeError,
});

const labels = (): TensorSpec => ({ shape: [2, 3], dtype: 'int32', data: [1, -1, 0, 2, 0, -1] });

export const marginLossFamily: Family = {
  ops: Object.keys(DRAWS),
  adaptive: true,
  draw: (op, kind, drawn) => drawOf(op)(kind, drawn),
  valid: (op) => {
    const input = numbers([2, 3]);
    const weight = { optional: { weight: numbers([3]) } };
    const options = { reduction: 'sum' };
    if (op === 'multilabelMarginLoss') return call(op, { input, target: labels() }, { options });
    const target = op === 'multiMarginLoss' ? classes(0, 2) : numbers([2, 3], 0);
    return call(op, { input, target }, { ...weight, options });
  },
  resultShape: () => [],
  wrongs: (op) => {
    if (op === 'multilabelSoftMarginLoss') {
      return [
        wrongShape('input', []),
        wrongShape('target', [2, 2]),
        wrongShape('target', [3]),
        wrongShape('weight', [2]),
        wrongShape('weight', [1, 3]),
        wrongOption('p', 1),
      ];
    }
    const inputs = [wrongShape('input', [2, 3, 1]), wrongShape('input', [2, 0])];
    if (op === 'multilabelMarginLoss') {
      return [
        ...inputs,
        withShape([2, 2]),
        withShape([3]),
        withShape([6]),
        withIndices([2, 3], [0, 1, 3, -1, 0, 0]),
        withIndices([2, 3], [0, -2, 1, -1, 0, 0]),
        // Behind the end of the list, as in PyTorch.
        withIndices([2, 3], [-1, 0, 7, -1, 0, 0]),
        wrongOption('weight', 1),
      ];
    }
    return [
      ...inputs,
      withShape([3]),
      withShape([2, 1]),
      withShape([]),
      ...[3, -1, -100, 2 ** 31 - 1].map((index) => withIndices([2], [0, index])),
      wrongShape('weight', [2]),
      wrongShape('weight', [3, 1]),
      ...[0, 3, 1.5, -1].map((p) => wrongOption('p', p)),
      wrongOption('margin', '1'),
    ];
  },
};

/** Layers of an adaptive softmax: features, shortlist, and the width and classes of each cluster. */
interface Sizes {
  readonly features: number;
  readonly shortlist: number;
  readonly tails: readonly (readonly [width: number, classes: number])[];
}

/** The weights by argument name, made by `draw` from their shapes. */
function layersOf<T>(
  { features, shortlist, tails }: Sizes,
  draw: (shape: readonly number[]) => T,
): Record<string, T> {
  const weights = { headWeight: draw([shortlist + tails.length, features]) };
  return Object.assign(
    weights,
    ...tails.map(([width, count], k) => ({
      [`tailWeights.${k}.0`]: draw([width, features]),
      [`tailWeights.${k}.1`]: draw([count, width]),
    })),
  ) as Record<string, T>;
}

const ownSizes: fc.Arbitrary<Sizes> = fc.record({
  features: fc.integer({ min: 1, max: 9 }),
  shortlist: fc.integer({ min: 1, max: 5 }),
  tails: fc.array(
    fc.tuple(
      fc.integer({ min: 1, max: 5 }),
      fc.oneof(
        { arbitrary: fc.integer({ min: 1, max: 8 }), weight: 4 },
        { arbitrary: fc.integer({ min: 30, max: 300 }), weight: 1 },
      ),
    ),
    { minLength: 1, maxLength: 3 },
  ),
});

function adaptiveCalls(kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const sizes = sized(
    drawn,
    fc.record({ layers: ownSizes, batch: batches, single: fc.boolean() }),
    (batch, columns) => ({
      layers: { features: 9, shortlist: 5, tails: [[3, columns] as const, [2, 7] as const] },
      batch,
      single: false,
    }),
  );
  return fc
    .tuple(sizes, fc.boolean(), maybe({ reduction }))
    .chain(([{ layers, batch, single }, biased, given]) => {
      const { features, shortlist, tails } = layers;
      const count = tails.reduce((sum, [, more]) => sum + more, shortlist);
      const rows = single ? [] : [batch];
      const magnitude = 1;
      const optional: Record<string, fc.Arbitrary<TensorSpec>> = biased
        ? { headBias: floats([shortlist + tails.length], 'smooth', 1) }
        : {};
      const weights = layersOf(layers, (shape) => floats(shape, 'smooth', magnitude));
      // A row's loss is a difference of scores, each a sum of products of products.
      const scores = 2 * features * 5;
      return fc.record({
        op: fc.constant('adaptiveLogSoftmaxWithLoss'),
        positional: fc.record({
          input: floats([...rows, features], kind, 2),
          target: fc
            .array(fc.integer({ min: 0, max: count - 1 }), {
              minLength: sizeOf(rows),
              maxLength: sizeOf(rows),
            })
            .map((data): TensorSpec => ({ shape: rows, dtype: 'int32', data })),
          ...weights,
        }),
        optional: fc.record(optional),
        options: fc.constant(given),
        differentiable: fc.constant(['input', ...Object.keys(weights), ...Object.keys(optional)]),
        scale: fc.constant(scores * (given.reduction === 'mean' ? 1 : Math.max(sizeOf(rows), 1))),
      });
    });
}

/** Two clusters, after a shortlist of two: six classes. */
const adaptiveSizes: Sizes = {
  features: 3,
  shortlist: 2,
  tails: [
    [2, 3],
    [1, 1],
  ],
};

export const adaptiveFamily: Family = {
  ops: ['adaptiveLogSoftmaxWithLoss'],
  adaptive: true,
  draw: (_op, kind, drawn) => adaptiveCalls(kind, drawn),
  valid: (op) =>
    call(
      op,
      {
        input: numbers([2, 3]),
        target: classes(5, 0),
        ...layersOf(adaptiveSizes, (shape) => numbers(shape, -0.5)),
      },
      { optional: { headBias: numbers([4]) }, options: { reduction: 'sum' } },
    ),
  resultShape: () => [],
  wrongs: () => [
    wrongShape('input', [2, 2]),
    wrongShape('input', []),
    wrongShape('input', [1, 2, 3]),
    wrongShape('headWeight', [2, 3]),
    wrongShape('headWeight', [4]),
    wrongShape('headWeight', [4, 2], 'input'),
    wrongShape('headWeight', [5, 3], 'headBias'),
    wrongShape('headBias', [3]),
    wrongShape('headBias', [1, 4]),
    wrongShape('tailWeights.0.0', [2, 2]),
    wrongShape('tailWeights.0.0', [3, 3], 'tailWeights.0.1'),
    wrongShape('tailWeights.0.0', [0, 3]),
    wrongShape('tailWeights.0.1', [3]),
    wrongShape('tailWeights.1.1', [1, 2]),
    wrongShape('tailWeights.1.1', [0, 1]),
    withShape([3]),
    withShape([2, 1]),
    withShape([]),
    ...[6, -1, -100, -2, 2 ** 31 - 1].map((index) => withIndices([2], [0, index])),
  ],
};

// Takes losses of distances, and the distances, and gives their calls.
import fc from 'fast-check';
import { DTypeError, IndexOutOfRangeError } from '../../src/index.ts';
import { broadcastShapes, sizeOf } from '../../src/core/shape.ts';
import type { Call, TensorSpec } from './call.ts';
import { floats, magnitudes, maybe, reduction, sized, type Drawn, type Values } from './draw.ts';
import type { Family } from './family.ts';
import { call, numbers, wrongOption, wrongShape } from './wrong.ts';

type Vectors = readonly [lead: readonly number[], n: number];

/** Vectors in a few leading dimensions, now and then many, now and then long ones. */
const ownVectors: fc.Arbitrary<Vectors> = fc.oneof(
  {
    arbitrary: fc.tuple(
      fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 2 }),
      fc.integer({ min: 1, max: 9 }),
    ),
    weight: 6,
  },
  { arbitrary: fc.tuple(fc.constantFrom([80], [2]), fc.constantFrom(3, 32, 130)), weight: 1 },
  { arbitrary: fc.tuple(fc.constantFrom([], [2], [3]), fc.constantFrom(1028, 1101)), weight: 1 },
);

const vectors = (drawn: Drawn): fc.Arbitrary<Vectors> =>
  sized(drawn, ownVectors, (r, c) => [[r], c]);

/** Which operands of a call are repeated along the first dimension. */
const repeats = (count: number): fc.Arbitrary<boolean[]> =>
  fc.oneof(
    { arbitrary: fc.constant(Array<boolean>(count).fill(false)), weight: 3 },
    { arbitrary: fc.array(fc.boolean(), { minLength: count, maxLength: count }), weight: 1 },
  );

const repeated = (shape: readonly number[], once: boolean | undefined): number[] =>
  shape.map((d, i) => (once && i === 0 && shape.length > 1 ? 1 : d));

/** What the gradient of a cosine is in units of: one over the length of the shortest vector, which has 1e-12 added. */
function steepness({ shape, data }: TensorSpec, along = shape.length - 1): number {
  const n = shape[along] ?? 1;
  const inner = sizeOf(shape.slice(along + 1));
  let shortest = Infinity;
  for (let row = 0; row < data.length / Math.max(n, 1); row++) {
    const base = Math.floor(row / inner) * n * inner + (row % inner);
    let sum = 1e-12;
    for (let i = 0; i < n; i++) sum += (data[base + i * inner] ?? 0) ** 2;
    if (sum < shortest) shortest = sum;
  }
  return 1 / Math.sqrt(shortest);
}

const labelOf = (index: number): number => [1, -1, 1, -1, 0][index % 5] ?? 1;

function cosineEmbeddingCalls(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  return fc
    .tuple(
      vectors(drawn),
      repeats(2),
      magnitudes,
      fc.nat(),
      maybe({ margin: fc.constantFrom(0, 0.25, -0.5), reduction }),
    )
    .chain(([[lead, n], once, magnitude, first, options]) => {
      const batch = lead.slice(0, 1);
      const count = sizeOf(batch);
      return fc
        .record({
          input1: floats(repeated([...batch, n], once[0]), kind, magnitude),
          input2: floats(repeated([...batch, n], once[1]), kind, magnitude),
        })
        .map(({ input1, input2 }): Call => {
          const rows = broadcastShapes(op, [input1.shape, input2.shape]).slice(0, -1);
          const target: TensorSpec = {
            shape: rows,
            dtype: 'float',
            data: Array.from({ length: sizeOf(rows) }, (_, i) => labelOf(first + i)),
          };
          const scale = 4 * Math.max(1, count);
          return {
            op,
            positional: { input1, input2, target },
            optional: {},
            options,
            differentiable: ['input1', 'input2'],
            scale,
            scales: { input1: scale * steepness(input1), input2: scale * steepness(input2) },
          };
        });
    });
}

/** Degrees of norms; below 1 a gradient near 0 has no bound. */
const degrees = fc.constantFrom(2, 2, 1, 1.5, 3, 4, 0, Infinity, -Infinity);

function tripletCalls(op: string, kind: Values, shapes: Drawn): fc.Arbitrary<Call> {
  const distance =
    op === 'tripletMarginLoss'
      ? { p: degrees, eps: fc.constantFrom(1e-6, 1e-3) }
      : { distanceFunction: fc.constantFrom('pairwiseDistance', 'mul', 'cosineSimilarity') };
  const options = maybe({
    ...distance,
    margin: fc.constantFrom(0.5, 1, 4),
    swap: fc.boolean(),
    reduction,
  });
  return fc
    .tuple(vectors(shapes), repeats(3), magnitudes, options)
    .chain(([[lead, n], once, magnitude, drawn]) => {
      // Along dimension 1 there must be vectors.
      const cosine = drawn.distanceFunction === 'cosineSimilarity';
      const shape = cosine ? [sizeOf(lead), n] : [...lead, n];
      const fused = (drawn.distanceFunction ?? 'pairwiseDistance') === 'pairwiseDistance';
      const shapeOf = (i: number): number[] => (fused ? repeated(shape, once[i]) : shape);
      // Distances, or what they are taken for.
      const size = Math.max(1, magnitude) ** (fused || cosine ? 1 : 2) * (fused ? n : 1);
      return fc
        .record({
          anchor: floats(shapeOf(0), kind, magnitude),
          positive: floats(shapeOf(1), kind, magnitude),
          negative: floats(shapeOf(2), kind, magnitude),
        })
        .map((positional): Call => {
          const scale = 4 * size * Math.max(1, sizeOf(lead));
          const steep = cosine
            ? Math.max(...Object.values(positional).map((x) => steepness(x)))
            : 1;
          const gradients = Object.keys(positional).map((name) => [name, scale * steep] as const);
          return {
            op,
            positional,
            optional: {},
            options: drawn,
            differentiable: ['anchor', 'positive', 'negative'],
            scale,
            scales: Object.fromEntries(gradients),
          };
        });
    });
}

function pairwiseCalls(kind: Values, shapes: Drawn): fc.Arbitrary<Call> {
  const options = maybe({
    p: degrees,
    eps: fc.constantFrom(1e-6, 1e-3),
    keepdim: fc.boolean(),
  });
  return fc
    .tuple(vectors(shapes), repeats(2), magnitudes, options)
    .chain(([[lead, n], once, magnitude, drawn]) =>
      fc.record({
        op: fc.constant('pairwiseDistance'),
        positional: fc.record({
          x1: floats(repeated([...lead, n], once[0]), kind, magnitude),
          x2: floats(repeated([...lead, n], once[1]), kind, magnitude),
        }),
        optional: fc.constant({}),
        options: fc.constant(drawn),
        differentiable: fc.constant(['x1', 'x2']),
        scale: fc.constant(4 * Math.max(1, magnitude) * Math.max(1, sizeOf(lead))),
      }),
    );
}

function cosineCalls(kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  return fc
    .tuple(vectors(drawn), repeats(2), magnitudes, fc.nat(), fc.boolean())
    .chain(([[lead, n], once, magnitude, pick, small]) => {
      const shape = [...lead, n];
      const dim = (pick % (2 * shape.length)) - shape.length;
      const along = dim < 0 ? dim + shape.length : dim;
      return fc
        .record({
          x1: floats(repeated(shape, once[0]), kind, magnitude),
          x2: floats(repeated(shape, once[1]), kind, magnitude),
        })
        .map((positional): Call => {
          const scale =
            8 * Math.max(1, sizeOf(shape) / Math.max(1, shape[along] ?? 1), shape[0] ?? 1);
          const [steep1, steep2] = Object.values(positional).map((x) =>
            x.shape[along] === shape[along] ? steepness(x, along) : 1e6,
          );
          return {
            op: 'cosineSimilarity',
            positional,
            optional: {},
            options: { dim, ...(small ? { eps: 1e-3 } : {}) },
            differentiable: ['x1', 'x2'],
            scale,
            scales: { x1: scale * (steep1 ?? 1), x2: scale * (steep2 ?? 1) },
          };
        });
    });
}

export const cosineEmbeddingFamily: Family = {
  ops: ['cosineEmbeddingLoss'],
  adaptive: true,
  kinked: true,
  draw: cosineEmbeddingCalls,
  valid: (op) => ({
    ...call(
      op,
      { input1: numbers([2, 3]), input2: numbers([2, 3], 1), target: numbers([2], 1) },
      { options: { reduction: 'none' } },
    ),
    differentiable: ['input1', 'input2'],
  }),
  resultShape: () => [2],
  wrongs: () => [
    wrongShape('input2', [2, 2]),
    wrongShape('input2', [3, 3]),
    wrongShape('input1', [3]),
    wrongShape('target', [2, 1]),
    wrongShape('target', [3]),
    wrongShape('target', [], 'input1'),
  ],
};

const triplets = {
  anchor: numbers([2, 3]),
  positive: numbers([2, 3], 1),
  negative: numbers([2, 3]),
};
const wrongTriplets = [
  wrongShape('positive', [2, 2]),
  wrongShape('negative', [2, 4]),
  wrongShape('negative', [3]),
  wrongOption('margin', 0),
  wrongOption('margin', -1),
  wrongOption('swap', 1),
  wrongOption('swap', null),
];

export const tripletFamily: Family = {
  ops: ['tripletMarginLoss'],
  adaptive: true,
  kinked: true,
  draw: tripletCalls,
  valid: (op) => call(op, triplets, { options: { reduction: 'none', swap: true } }),
  resultShape: () => [2],
  wrongs: () => [...wrongTriplets, wrongShape('anchor', [], 'anchor')],
};

export const tripletWithDistanceFamily: Family = {
  ops: ['tripletMarginWithDistanceLoss'],
  adaptive: true,
  kinked: true,
  draw: tripletCalls,
  valid: (op) =>
    call(op, triplets, {
      options: { reduction: 'sum', distanceFunction: 'cosineSimilarity', swap: true },
    }),
  resultShape: () => [],
  wrongs: () => [
    ...wrongTriplets.filter(({ argument }) => argument !== 'positive' && argument !== 'negative'),
    wrongShape('negative', [3]),
    wrongOption('distanceFunction', 'x'),
    wrongOption('distanceFunction', null),
    wrongOption('distanceFunction', 2),
    {
      what: 'that returns a number',
      argument: 'distanceFunction',
      value: () => () => 1,
      error: DTypeError,
    },
  ],
};

export const pairwiseFamily: Family = {
  ops: ['pairwiseDistance'],
  adaptive: true,
  kinked: true,
  draw: (_op, kind, drawn) => pairwiseCalls(kind, drawn),
  valid: (op) =>
    call(op, { x1: numbers([2, 3]), x2: numbers([2, 3], 1) }, { options: { keepdim: true } }),
  resultShape: () => [2, 1],
  wrongs: () => [
    wrongShape('x2', [2, 2]),
    wrongShape('x2', []),
    wrongOption('p', '2'),
    wrongOption('p', NaN),
    wrongOption('eps', null),
    wrongOption('keepdim', 1),
  ],
};

export const cosineFamily: Family = {
  ops: ['cosineSimilarity'],
  adaptive: true,
  draw: (_op, kind, drawn) => cosineCalls(kind, drawn),
  valid: (op) => call(op, { x1: numbers([2, 3]), x2: numbers([2, 3], 1) }, { options: { dim: 1 } }),
  resultShape: () => [2],
  wrongs: () => [
    wrongShape('x2', [2, 2]),
    wrongOption('dim', 2, IndexOutOfRangeError),
    wrongOption('dim', -3, IndexOutOfRangeError),
    wrongOption('dim', 0.5),
    wrongOption('dim', '1'),
    wrongOption('eps', -1),
  ],
};

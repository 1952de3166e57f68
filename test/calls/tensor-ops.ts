// Takes tensor operations: elementwise functions, choices, movements of elements, reductions; and gives their calls.
import fc from 'fast-check';
import { DTypeError, IndexOutOfRangeError, OptionError } from '../../src/index.ts';
import { broadcastShapes, sizeOf } from '../../src/core/shape.ts';
import type { Call, TensorSpec } from './call.ts';
import {
  broadcasting,
  floats,
  magnitudes,
  randomNumbers,
  shapes,
  sized,
  type Drawn,
  type Values,
} from './draw.ts';
import type { Family } from './family.ts';
import { call, numbers, shaped, wrongOption, wrongShape } from './wrong.ts';

/** Of functions that are defined above 0 alone. */
const POSITIVE = ['log', 'sqrt'];

function unaryCalls(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  return fc.tuple(drawn, magnitudes).chain(([shape, magnitude]) =>
    fc.record({
      op: fc.constant(op),
      positional: fc.record({
        x: floats(
          shape,
          kind === 'any' ? 'wild' : kind,
          magnitude,
          kind === 'smooth' && POSITIVE.includes(op),
        ),
      }),
      optional: fc.constant({}),
      options: fc.constant({}),
      differentiable: fc.constant(['x']),
      scale: fc.constant(0),
    }),
  );
}

/** Elements rounded to integers: many are equal. */
const rounded = (spec: TensorSpec): TensorSpec => ({
  shape: spec.shape,
  dtype: spec.dtype,
  data: spec.data.map(Math.round),
});

function extremaCalls(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  return fc
    .tuple(broadcasting(2, drawn), magnitudes, fc.boolean())
    .chain(([[first = [], second = []], magnitude, ties]) => {
      const values = (shape: readonly number[]): fc.Arbitrary<TensorSpec> =>
        ties && kind === 'any'
          ? floats(shape, kind, 3).map(rounded)
          : floats(shape, kind, magnitude);
      return fc.record({
        op: fc.constant(op),
        positional: fc.record({ a: values(first), b: values(second) }),
        optional: fc.constant({}),
        options: fc.constant({}),
        differentiable: fc.constant(['a', 'b']),
        // Gradients are added up where an operand is repeated.
        scale: fc.constant(2 * sizeOf(broadcastShapes(op, [first, second]))),
        scales: fc.constant({ out: 0 }),
      });
    });
}

/** int32 from -range to range, some of them 0. */
export const integers = (shape: readonly number[], range: number): fc.Arbitrary<TensorSpec> =>
  fc.noShrink(fc.nat()).map((seed) => {
    const random = randomNumbers(seed);
    const data = Array.from({ length: sizeOf(shape) }, () =>
      Math.round((2 * random() - 1) * (random() < 0.3 ? 0 : range)),
    );
    return {
      shape,
      dtype: 'int32',
      data,
      [fc.toStringMethod]: () => `int32 [${shape.join()}] up to ${range} from ${seed}`,
    };
  });

function whereCalls(kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  return fc
    .tuple(broadcasting(3, drawn), magnitudes)
    .chain(([[first = [], second = [], third = []], magnitude]) =>
      fc.record({
        op: fc.constant('where'),
        positional: fc.record({
          condition: integers(first, 2),
          a: floats(second, kind, magnitude),
          b: floats(third, kind, magnitude),
        }),
        optional: fc.constant({}),
        options: fc.constant({}),
        differentiable: fc.constant(['a', 'b']),
        scale: fc.constant(2 * sizeOf(broadcastShapes('where', [first, second, third]))),
        scales: fc.constant({ out: 0 }),
      }),
    );
}

function castCalls(kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  // Differences need float64, which stands for float32.
  const dtypes =
    kind === 'smooth' ? (['float32'] as const) : (['float32', 'float16', 'int32'] as const);
  return fc
    .tuple(drawn, fc.constantFrom(...dtypes), fc.boolean())
    .chain(([shape, dtype, integer]) =>
      fc.record({
        op: fc.constant('cast'),
        positional: fc.record({
          x:
            integer && kind !== 'smooth'
              ? integers(shape, 2 ** 31 - 1)
              : floats(shape, kind === 'any' ? 'wild' : kind, 20),
        }),
        optional: fc.constant({}),
        options: fc.constant({}),
        rest: fc.constant([dtype]),
        differentiable: fc.constant(
          dtype === 'int32' || (integer && kind !== 'smooth') ? [] : ['x'],
        ),
        scale: fc.constant(0),
      }),
    );
}

/** Shapes whose elements move by units of every size, and by tiles. */
const movedShapes: fc.Arbitrary<number[]> = fc.oneof(
  { arbitrary: shapes, weight: 4 },
  {
    arbitrary: fc.array(fc.constantFrom(1, 2, 3, 4, 8), { minLength: 2, maxLength: 5 }),
    weight: 3,
  },
  {
    arbitrary: fc.constantFrom<number[]>(
      [33, 70],
      [64, 32],
      [2, 31, 9],
      [12, 2, 40],
      [3, 8, 2, 16],
    ),
    weight: 2,
  },
);

const movedBy = (drawn: Drawn): fc.Arbitrary<number[]> =>
  sized(drawn, movedShapes, (r, c) => [r, c]);

function moved(
  op: string,
  x: fc.Arbitrary<TensorSpec>,
  rest: fc.Arbitrary<readonly unknown[]>,
): fc.Arbitrary<Call> {
  return fc.record({
    op: fc.constant(op),
    positional: fc.record({ x }),
    optional: fc.constant({}),
    options: fc.constant({}),
    rest,
    differentiable: fc.constant(['x']),
    scale: fc.constant(0),
  });
}

function permuteCalls(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  return movedBy(drawn).chain((shape) => {
    const dims = shape.map((_, d) => d);
    const any = fc.tuple(fc.nat(), fc.nat(), fc.boolean()).map(([a, b, fromEnd]) => {
      const rank = Math.max(1, shape.length);
      return [a % rank, (b % rank) - (fromEnd ? rank : 0)];
    });
    const order = fc
      .shuffledSubarray(dims, { minLength: dims.length })
      .map((list) => [list.map((d, i) => (i % 2 === 0 ? d : d - dims.length))]);
    return moved(op, floats(shape, kind, 3), op === 'permute' ? order : any);
  });
}

function narrowCalls(kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  return fc
    .tuple(
      movedBy(drawn).map((shape) => (shape.length === 0 ? [5] : shape)),
      fc.tuple(fc.nat(), fc.nat(), fc.nat(), fc.boolean()),
    )
    .chain(([shape, [a, b, c, fromEnd]]) => {
      const dim = a % shape.length;
      const n = shape[dim] ?? 1;
      const start = b % (n + 1);
      const length = c % (n - start + 1);
      const rest = [
        fromEnd ? dim - shape.length : dim,
        fromEnd && start < n ? start - n : start,
        length,
      ];
      return moved('narrow', floats(shape, kind, 3), fc.constant(rest));
    });
}

function catCalls(kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  return fc
    .tuple(
      movedBy(drawn).map((shape) => (shape.length === 0 ? [5] : shape)),
      fc.nat(),
      fc.array(fc.nat(6), { minLength: 0, maxLength: 3 }),
      fc.boolean(),
    )
    .chain(([shape, at, extents, nothing]) => {
      const dim = at % shape.length;
      const list = [shape, ...extents.map((n) => shape.with(dim, n)), ...(nothing ? [[0]] : [])];
      const tensors = Object.fromEntries(
        list.map((own, i) => [`tensors.${i}`, floats(own, kind, 3)]),
      );
      return fc.record({
        op: fc.constant('cat'),
        positional: fc.record(tensors),
        optional: fc.constant({}),
        options: fc.constantFrom({ dim }, { dim: dim - shape.length }, ...(dim === 0 ? [{}] : [])),
        differentiable: fc.constant(Object.keys(tensors)),
        scale: fc.constant(0),
      });
    });
}

/** Along a dimension of rows, few and long or many and short; `dim` is left out now and then. */
function rowCalls(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const own = fc.oneof(
    {
      arbitrary: shapes.map((shape) => shape.map((d) => Math.max(d, 1))),
      weight: 3,
    },
    {
      arbitrary: fc.constantFrom<number[]>([3, 5000], [2, 700, 3], [9000], [70, 33], [5, 64]),
      weight: 1,
    },
  );
  return fc
    .tuple(
      sized(drawn, own, (r, c) => [r, c]),
      magnitudes,
      fc.nat(),
      fc.boolean(),
      fc.boolean(),
    )
    .chain(([shape, magnitude, pick, keepdim, ties]) => {
      const rank = Math.max(shape.length, 1);
      const dim = (pick % (2 * rank)) - rank;
      const several = op === 'logsumexp' && shape.length > 1;
      const dims = [
        ...(pick % 5 === 0 ? [{}] : []),
        { dim, keepdim },
        ...(several ? [{ dim: [0, -1] }] : []),
      ];
      const values = floats(shape, kind, magnitude);
      return fc.record({
        op: fc.constant(op),
        positional: fc.record({
          x: ties && kind === 'any' && op !== 'logsumexp' ? values.map(rounded) : values,
        }),
        optional: fc.constant({}),
        options: fc.constantFrom(...dims),
        differentiable: fc.constant(op === 'argmax' ? [] : ['x']),
        scale: fc.constant(op === 'logsumexp' ? Math.max(1, magnitude) : 0),
      });
    });
}

export const unaryFamily: Family = {
  ops: ['exp', 'log', 'sqrt', 'abs', 'neg'],
  kinked: true,
  draw: unaryCalls,
  valid: (op) => call(op, { x: numbers([2, 3]) }, { optional: { bias: numbers([3]) } }),
  resultShape: () => [2, 3],
  wrongs: () => [wrongShape('bias', [2]), wrongShape('bias', [2, 3]), wrongShape('bias', [])],
};

export const extremaFamily: Family = {
  ops: ['maximum', 'minimum'],
  kinked: true,
  draw: extremaCalls,
  valid: (op) => call(op, { a: numbers([2, 3]), b: numbers([3]) }),
  resultShape: () => [2, 3],
  wrongs: () => [wrongShape('b', [2]), wrongShape('b', [3, 3]), wrongOption('b', 'x', DTypeError)],
};

export const whereFamily: Family = {
  ops: ['where'],
  draw: (_op, kind, drawn) => whereCalls(kind, drawn),
  valid: (op) =>
    call(op, {
      condition: { shape: [2, 1], dtype: 'int32', data: [1, 0] },
      a: numbers([2, 3]),
      b: numbers([3]),
    }),
  resultShape: () => [2, 3],
  wrongs: () => [
    wrongShape('a', [3, 3]),
    wrongShape('b', [2]),
    wrongShape('b', [3, 3]),
    wrongOption('b', 'x', DTypeError),
    {
      what: 'of dtype int32 beside one of float32',
      argument: 'a',
      value: shaped([2, 3], 'int32'),
      error: DTypeError,
      names: 'b',
    },
  ],
};

export const castFamily: Family = {
  ops: ['cast'],
  draw: (_op, kind, drawn) => castCalls(kind, drawn),
  valid: (op) => call(op, { x: numbers([2, 3]) }, { rest: ['float32'] }),
  resultShape: () => [2, 3],
  wrongs: () => [],
};

export const permuteFamily: Family = {
  ops: ['permute', 'transpose'],
  adaptive: true,
  draw: permuteCalls,
  valid: (op) => call(op, { x: numbers([2, 3]) }, { rest: op === 'permute' ? [[1, 0]] : [0, 1] }),
  resultShape: () => [3, 2],
  wrongs: (op) =>
    op === 'permute'
      ? [
          { ...wrongShape('x', [6], 'dims'), error: IndexOutOfRangeError },
          { ...wrongShape('x', [1, 2, 3], 'dims'), error: OptionError },
        ]
      : [wrongShape('x', [6], 'dim1')].map((wrong) => ({ ...wrong, error: IndexOutOfRangeError })),
};

export const narrowFamily: Family = {
  ops: ['narrow'],
  draw: (_op, kind, drawn) => narrowCalls(kind, drawn),
  valid: (op) => call(op, { x: numbers([2, 3]) }, { rest: [1, 1, 2] }),
  resultShape: () => [2, 2],
  wrongs: () => [
    wrongShape('x', []),
    { ...wrongShape('x', [6], 'dim'), error: IndexOutOfRangeError },
    { ...wrongShape('x', [2, 2], 'length'), error: IndexOutOfRangeError },
    { ...wrongShape('x', [2, 0], 'start'), error: IndexOutOfRangeError },
  ],
};

export const catFamily: Family = {
  ops: ['cat'],
  draw: (_op, kind, drawn) => catCalls(kind, drawn),
  valid: (op) =>
    call(
      op,
      { 'tensors.0': numbers([2, 3]), 'tensors.1': numbers([2, 1]) },
      { options: { dim: 1 } },
    ),
  resultShape: () => [2, 4],
  wrongs: () => [
    wrongShape('tensors.1', []),
    wrongShape('tensors.1', [3, 3]),
    wrongShape('tensors.1', [2]),
    wrongShape('tensors.1', [2, 1, 1]),
    wrongOption('dim', 2, IndexOutOfRangeError),
    wrongOption('dim', -3, IndexOutOfRangeError),
    wrongOption('dim', 0.5),
    wrongOption('dim', '1'),
    wrongOption('dim', null),
  ],
};

const wrongDims = [
  wrongOption('dim', 2, IndexOutOfRangeError),
  wrongOption('dim', -3, IndexOutOfRangeError),
  wrongOption('dim', 0.5),
  wrongOption('dim', '1'),
  wrongOption('dim', null),
  wrongOption('keepdim', 1),
];

export const maxFamily: Family = {
  ops: ['max', 'argmax'],
  adaptive: true,
  kinked: true,
  draw: rowCalls,
  valid: (op) => call(op, { x: numbers([2, 3]) }, { options: { dim: 1, keepdim: true } }),
  resultShape: () => [2, 1],
  wrongs: () => [...wrongDims, wrongShape('x', [2, 0])],
};

export const logSumExpFamily: Family = {
  ops: ['logsumexp'],
  adaptive: true,
  draw: rowCalls,
  valid: (op) => call(op, { x: numbers([2, 3]) }, { options: { dim: 1, keepdim: true } }),
  resultShape: () => [2, 1],
  wrongs: () => [
    ...wrongDims.filter(({ what }) => what !== '= 0.5'),
    wrongOption('dim', [0, 2], IndexOutOfRangeError),
    wrongOption('dim', [0, -2]),
  ],
};

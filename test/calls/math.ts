// Takes the support ops, and gives their calls.
import fc from 'fast-check';
import { DTypeError, IndexOutOfRangeError } from '../../src/index.ts';
import { broadcastShapes, sizeOf } from '../../src/core/shape.ts';
import type { Call, TensorSpec } from './call.ts';
import {
  broadcasting,
  finite,
  floats,
  magnitudes,
  shapes,
  sized,
  type Drawn,
  type Values,
} from './draw.ts';
import type { Family } from './family.ts';
import { call, numbers, wrongOption, wrongShape } from './wrong.ts';

function arithmeticCalls(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  return fc
    .tuple(broadcasting(2, drawn), magnitudes)
    .chain(([[first = [], second = []], magnitude]) =>
      fc.record({
        op: fc.constant(op),
        positional: fc.record({
          a: floats(first, kind, magnitude),
          b: op === 'div' ? finite(second, magnitude) : floats(second, kind, magnitude),
        }),
        optional: fc.constant({}),
        options: fc.constant({}),
        differentiable: fc.constant(['a', 'b']),
        // Gradients are added up where an operand is repeated; 1 / b is at most 20, squared 400.
        scale: fc.constant(
          magnitude *
            (op === 'div' ? 400 : 1) *
            Math.max(1, sizeOf(broadcastShapes(op, [first, second]))),
        ),
      }),
    );
}

function reductionCalls(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const long = fc.constantFrom([3, 5000], [5000, 3], [9000], [2, 300, 2]);
  const own = fc.oneof({ arbitrary: shapes, weight: 6 }, { arbitrary: long, weight: 1 });
  const any = sized(drawn, own, (r, c) => [r, c]);
  return fc
    .tuple(any, magnitudes, fc.option(fc.nat()), fc.boolean())
    .chain(([shape, magnitude, mask, keepdim]) => {
      const dim = shape
        .map((_, i) => (i % 2 === 0 ? i : i - shape.length))
        .filter((_, i) => ((mask ?? 0) >> i) % 2 === 1);
      return fc.record({
        op: fc.constant(op),
        positional: fc.record({ x: floats(shape, kind, magnitude) }),
        optional: fc.constant({}),
        options: fc.constant(
          mask === null ? {} : { keepdim, dim: dim.length === 1 ? dim[0] : dim },
        ),
        differentiable: fc.constant(['x']),
        scale: fc.constant(magnitude * (op === 'sum' ? Math.max(1, sizeOf(shape)) : 1)),
      });
    });
}

function reshapeCalls(kind: Values): fc.Arbitrary<Call> {
  return shapes.chain((shape) =>
    fc.record({
      op: fc.constant('reshape'),
      positional: fc.record({ x: floats(shape, kind, 3) }),
      optional: fc.constant({}),
      options: fc.constant({}),
      differentiable: fc.constant(['x']),
      rest: fc.constantFrom(
        [[...shape].reverse()],
        [[sizeOf(shape), 1]],
        ...(sizeOf(shape) > 0 ? [[[-1]]] : []),
      ),
      scale: fc.constant(0),
    }),
  );
}

function dropoutCalls(kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  return fc.tuple(drawn, fc.constantFrom(0, 0.25, 0.5, 0.9)).chain(([shape, p]) =>
    fc.record({
      op: fc.constant('dropout'),
      positional: fc.record({ x: floats(shape, kind, 3) }),
      optional: fc.constant({}),
      options: fc.constant({ p }),
      differentiable: fc.constant(['x']),
      scale: fc.constant(0),
    }),
  );
}

/** Sizes round the tiles of a matrix kernel. */
const extent = fc.oneof(
  { arbitrary: fc.integer({ min: 1, max: 9 }), weight: 4 },
  { arbitrary: fc.integer({ min: 10, max: 70 }), weight: 1 },
  { arbitrary: fc.constant(0), weight: 0 },
);

function matmulCalls(kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const batches = fc.constantFrom<[number[], number[]]>(
    [[], []],
    [[2], [2]],
    [[3], []],
    [[], [2, 3]],
    [[2, 1], [3]],
    [
      [2, 1, 2],
      [2, 3, 1],
    ],
  );
  const own = fc.record({ m: extent, k: extent, n: extent, batches });
  const extents = sized(drawn, own, (m, k) => ({
    m,
    k,
    n: 3,
    batches: [[], []] as [number[], number[]],
  }));
  return fc.tuple(extents, magnitudes, fc.nat(9)).chain(
    ([
      {
        m,
        k,
        n,
        batches: [left, right],
      },
      magnitude,
      vectors,
    ]) => {
      const a = vectors === 1 || vectors === 3 ? [k] : [...left, m, k];
      const b = vectors === 2 || vectors === 3 ? [k] : [...right, k, n];
      const batch = sizeOf(left) * sizeOf(right);
      return fc.record({
        op: fc.constant('matmul'),
        positional: fc.record({ a: floats(a, kind, magnitude), b: floats(b, kind, magnitude) }),
        optional: fc.constant({}),
        options: fc.constant({}),
        differentiable: fc.constant(['a', 'b']),
        scale: fc.constant(Math.max(magnitude, 1) * magnitude * Math.max(m, n, k) * batch),
      });
    },
  );
}

function linearCalls(kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const rows = fc.constantFrom<number[][]>([], [1], [4], [33], [2, 3], [0]);
  // Each is a pipeline of its own to compile: the others are fused in the same way.
  const activation = fc.constantFrom(undefined, 'relu', 'tanh');
  const own = fc.record({ lead: rows, inputs: extent, outputs: extent });
  const extents = sized(drawn, own, (r, c) => ({ lead: [r], inputs: c, outputs: 5 }));
  return fc
    .tuple(extents, magnitudes, fc.boolean(), activation)
    .chain(([{ lead, inputs, outputs }, magnitude, biased, name]) => {
      const optional: Record<string, fc.Arbitrary<TensorSpec>> = biased
        ? { bias: finite([outputs], 1) }
        : {};
      return fc.record({
        op: fc.constant('linear'),
        positional: fc.record({
          x: floats([...lead, inputs], name === undefined ? kind : 'smooth', magnitude),
          weight: finite([outputs, inputs], 1),
        }),
        optional: fc.record(optional),
        options: fc.constant(name === undefined ? {} : { activation: name }),
        differentiable: fc.constant(biased ? ['x', 'weight', 'bias'] : ['x', 'weight']),
        scale: fc.constant(Math.max(magnitude, 1) * 2 * Math.max(inputs, outputs, sizeOf(lead))),
      });
    });
}

export const arithmeticFamily: Family = {
  ops: ['add', 'sub', 'mul', 'div'],
  products: 'gradients',
  draw: arithmeticCalls,
  valid: (op) => call(op, { a: numbers([2, 3]), b: numbers([3]) }),
  resultShape: () => [2, 3],
  wrongs: () => [
    wrongShape('b', [2]),
    wrongShape('b', [3, 3]),
    { ...wrongOption('b', 'x', DTypeError) },
  ],
};

export const reductionFamily: Family = {
  ops: ['sum', 'mean'],
  adaptive: true,
  draw: reductionCalls,
  valid: (op) => call(op, { x: numbers([2, 3]) }, { options: { dim: 1, keepdim: true } }),
  resultShape: () => [2, 1],
  wrongs: () => [
    wrongOption('dim', 2, IndexOutOfRangeError),
    wrongOption('dim', -3, IndexOutOfRangeError),
    wrongOption('dim', [0, 2], IndexOutOfRangeError),
    wrongOption('dim', [0, -2]),
    wrongOption('dim', 'x'),
    wrongOption('dim', ['0']),
    wrongOption('keepdim', 1),
    wrongOption('keepdim', 'true'),
  ],
};

export const reshapeFamily: Family = {
  ops: ['reshape'],
  draw: (_op, kind) => reshapeCalls(kind),
  valid: (op) => call(op, { x: numbers([2, 3]) }, { rest: [[3, 2]] }),
  resultShape: () => [3, 2],
  wrongs: () => [],
};

export const dropoutFamily: Family = {
  ops: ['dropout'],
  draw: (_op, kind, drawn) => dropoutCalls(kind, drawn),
  valid: (op) => call(op, { x: numbers([2, 3]) }, { options: { p: 0.5 } }),
  resultShape: () => [2, 3],
  wrongs: () => [
    wrongOption('p', -0.1),
    wrongOption('p', 1.1),
    wrongOption('p', NaN),
    wrongOption('p', '0.5'),
    wrongOption('training', 1),
  ],
};

export const matmulFamily: Family = {
  ops: ['matmul'],
  adaptive: true,
  products: 'all',
  draw: (_op, kind, drawn) => matmulCalls(kind, drawn),
  valid: (op) => call(op, { a: numbers([2, 3]), b: numbers([3, 4]) }),
  resultShape: () => [2, 4],
  wrongs: () => [
    wrongShape('b', [2, 4]),
    wrongShape('b', [4]),
    wrongShape('b', []),
    wrongShape('a', []),
    wrongShape('a', [2, 4], 'b'),
  ],
};

export const linearFamily: Family = {
  ops: ['linear'],
  adaptive: true,
  products: 'all',
  draw: (_op, kind, drawn) => linearCalls(kind, drawn),
  valid: (op) =>
    call(op, { x: numbers([2, 3]), weight: numbers([4, 3]) }, { optional: { bias: numbers([4]) } }),
  resultShape: () => [2, 4],
  wrongs: () => [
    wrongShape('x', [2, 4]),
    wrongShape('x', []),
    wrongShape('weight', [3]),
    wrongShape('weight', [4, 3, 1]),
    wrongShape('bias', [3]),
    wrongShape('bias', [1, 4]),
    wrongOption('activation', 'relu'),
    wrongOption('activation', null),
    wrongOption('activation', Math.tanh),
    wrongOption('activationOptions', { slope: 1 }),
  ],
};

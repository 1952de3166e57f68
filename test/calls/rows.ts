// Takes row-wise and gated activations, and gives their calls.
import fc from 'fast-check';
import { catalog } from '../../src/catalog.ts';
import type { Norm } from '../../src/define/norm.ts';
import { IndexOutOfRangeError } from '../../src/index.ts';
import type { NormOp, NormRows } from '../../src/kernels/norm/args.ts';
import type { Call, TensorSpec } from './call.ts';
import { sizeOf } from '../../src/core/shape.ts';
import {
  floats,
  magnitudes,
  maybe,
  randomNumbers,
  shapes,
  sized,
  type Drawn,
  type Values,
} from './draw.ts';
import type { Family } from './family.ts';
import { call, classes, numbers, shaped, wrongOption, wrongShape } from './wrong.ts';

function gumbelSoftmaxCalls(kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const options = fc.record(
    {
      tau: fc.constantFrom(0.5, 2),
      // One-hot results have the gradient of the soft ones, by convention: not that of differences.
      ...(kind === 'smooth' ? {} : { hard: fc.boolean() }),
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  return fc.tuple(rowwiseCalls('gumbelSoftmax', kind, drawn), options).map(([call, extra]) => ({
    ...call,
    options: { ...call.options, ...extra },
    scale: 4 * call.scale,
  }));
}

function softmax2dCalls(kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const extents = fc.integer({ min: 1, max: 6 });
  const own = fc.array(extents, { minLength: 3, maxLength: 4 });
  return fc
    .tuple(
      sized(drawn, own, (r, c) => [Math.min(c, 9), 1, r * Math.ceil(c / 9)]),
      magnitudes,
    )
    .chain(([shape, magnitude]) =>
      fc.record({
        op: fc.constant('softmax2d'),
        positional: fc.record({ x: floats(shape, kind, magnitude) }),
        optional: fc.constant({}),
        options: fc.constant({}),
        differentiable: fc.constant(['x']),
        scale: fc.constant(Math.max(1, magnitude)),
      }),
    );
}

/** Options of gated units of two tensors. */
const PAIR_OPTIONS: Readonly<Record<string, Readonly<Record<string, fc.Arbitrary<unknown>>>>> = {
  swiglu: {
    alpha: fc.constantFrom(0.5, 1.702),
    limit: fc.constantFrom(2.5, 7, Infinity),
    offset: fc.constantFrom(0.75, 1),
  },
  geglu: { approximate: fc.constantFrom('none', 'tanh') },
  reglu: {},
};

/** Gated units of two tensors. */
function pairCalls(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  // By its tanh, gelu underflows below -10 in float32, not in float64.
  const sizes = op === 'geglu' ? fc.constantFrom(0.5, 3, 8) : magnitudes;
  return fc
    .tuple(
      sized(drawn, shapes, (r, c) => [r, c]),
      sizes,
    )
    .chain(([shape, magnitude]) =>
      fc.record({
        op: fc.constant(op),
        positional: fc.record({
          gate: floats(shape, kind, magnitude),
          up: floats(shape, kind, magnitude),
        }),
        optional: fc.constant({}),
        options: maybe(PAIR_OPTIONS[op] ?? {}),
        differentiable: fc.constant(['gate', 'up']),
        scale: fc.constant(2 * magnitude * magnitude),
      }),
    );
}

/** Gated units: an even extent along a dimension of any sign. */
function halvesCalls(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const own = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 });
  return fc
    .tuple(
      sized(drawn, own, (r, c) => [r, Math.ceil(c / 2)]),
      fc.nat(),
      fc.boolean(),
      // gelu underflows below -14 in float32, not in float64: 0 times an infinite half is NaN, anything else is not.
      op === 'geglu' ? fc.constantFrom(0.5, 3, 12) : magnitudes,
    )
    .chain(([half, at, fromEnd, magnitude]) => {
      const d = at % half.length;
      const shape = half.map((extent, i) => (i === d ? 2 * extent : extent));
      return fc.record({
        op: fc.constant(op),
        positional: fc.record({ x: floats(shape, kind, magnitude) }),
        optional: fc.constant({}),
        options: fc.constant({ dim: fromEnd ? d - half.length : d }),
        differentiable: fc.constant(['x']),
        scale: fc.constant(magnitude * magnitude),
      });
    });
}

/** Ops that take a mask and a scale. */
const MASKED = ['softmax', 'logSoftmax', 'softmin'];

/** A mask of the shape, or of one that broadcasts to it and is not large; now and then rows are left out whole. */
function maskOf(shape: readonly number[], how: number, seed: number): TensorSpec {
  const random = randomNumbers(seed);
  const repeats = shape.map((_, d) => (how >> d) % 2 === 1);
  const broadcast = shape.map((extent, d) => (repeats[d] ? 1 : extent));
  const own = sizeOf(broadcast) > 1000 ? shape : broadcast.slice(how % 5 === 0 ? 1 : 0);
  const n = own.at(-1) ?? 1;
  const share = [0.9, 0.5, 0.1, 0][how % 4] ?? 0;
  let inRow = share;
  const data = Array.from({ length: sizeOf(own) }, (_, i) => {
    if (i % n === 0) inRow = random() < 0.2 ? 0 : random() < 0.2 ? 1 : share;
    return random() < inRow ? 1 + (i % 3) : 0;
  });
  return { shape: own, dtype: 'int32', data };
}

/** Calls with a mask, a scale, or both, and without. Small powers of two: others round products to float32 first, or leave it. */
function maskedCalls(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const scales = fc.constantFrom(undefined, undefined, 0.125, 0.5, -0.5);
  return fc
    .tuple(rowwiseCalls(op, kind, drawn), scales, fc.nat(2), fc.nat(255), fc.noShrink(fc.nat()))
    .map(([call, scale, has, how, seed]) => ({
      ...call,
      optional: has === 0 ? {} : { mask: maskOf(call.positional.x?.shape ?? [], how, seed) },
      options: { ...call.options, ...(scale === undefined ? {} : { scale }) },
      scale: 2 * call.scale,
    }));
}

function rowwiseCalls(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const own = fc.oneof(
    { arbitrary: shapes, weight: 3 },
    {
      arbitrary: fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 1500 })),
      weight: 1,
    },
  );
  const rows = sized(drawn, own, (r, c) => [r, c]);
  return fc.tuple(rows, magnitudes, fc.nat()).chain(([shape, magnitude, pick]) => {
    const rank = Math.max(shape.length, 1);
    return fc.record({
      op: fc.constant(op),
      positional: fc.record({ x: floats(shape, kind, magnitude) }),
      optional: fc.constant({}),
      options: fc.constant({ dim: (pick % (2 * rank)) - rank }),
      differentiable: fc.constant(['x']),
      // The root of a small result, which entmax15's gradient has, is off by what tau is.
      scale: fc.constant(Math.max(1, magnitude) * (op === 'entmax15' ? 4 : 1)),
      // From the sum of all upstream gradients of the row, which a share of it is taken from.
      ...(op === 'logSoftmax'
        ? {
            scales: fc.constant({
              x: Math.max(1, magnitude, Math.sqrt(shape.at((pick % (2 * rank)) - rank) ?? 1) / 2),
            }),
          }
        : {}),
    });
  });
}

const ofKind = (kind: string): string[] =>
  catalog.filter((op) => op.kind === kind).map(({ op }) => op);

export const rowwiseFamily: Family = {
  ops: ofKind('rowwise').filter((op) => op !== 'gumbelSoftmax' && op !== 'softmax2d'),
  adaptive: true,
  shiftInvariant: true,
  draw: (op, kind, drawn) =>
    MASKED.includes(op) ? maskedCalls(op, kind, drawn) : rowwiseCalls(op, kind, drawn),
  valid: (op) =>
    call(
      op,
      { x: numbers([2, 3]) },
      MASKED.includes(op)
        ? {
            options: { dim: 1, scale: 0.5 },
            optional: { mask: { ...classes(1, 0, 1), shape: [1, 3] } },
          }
        : { options: { dim: 1 } },
    ),
  resultShape: () => [2, 3],
  wrongs: (op) => [
    ...(MASKED.includes(op)
      ? [
          wrongOption('scale', '1'),
          wrongOption('scale', NaN),
          wrongOption('scale', Infinity),
          wrongOption('scale', null),
          { ...wrongShape('mask', [2]), value: shaped([2], 'int32') },
          { ...wrongShape('mask', [1, 2, 3]), value: shaped([1, 2, 3], 'int32') },
        ]
      : [wrongOption('mask', null), wrongOption('scale', 1)]),
    wrongOption('dim', 2, IndexOutOfRangeError),
    wrongOption('dim', -3, IndexOutOfRangeError),
    wrongOption('dim', 0.5),
    wrongOption('dim', NaN),
    wrongOption('dim', '1'),
    wrongOption('dim', null),
    ...(op === 'entmax15' ? [] : [wrongOption('dim', undefined)]),
    ...(MASKED.includes(op) ? [wrongOption('dtype', 'int32'), wrongOption('dtype', null)] : []),
  ],
};

export const gumbelSoftmaxFamily: Family = {
  ops: ['gumbelSoftmax'],
  adaptive: true,
  draw: (_op, kind, drawn) => gumbelSoftmaxCalls(kind, drawn),
  valid: (op) => call(op, { logits: numbers([2, 3]) }, { options: { tau: 0.5, dim: 1 } }),
  resultShape: () => [2, 3],
  wrongs: () => [
    wrongOption('dim', 2, IndexOutOfRangeError),
    wrongOption('dim', -3, IndexOutOfRangeError),
    wrongOption('dim', 0.5),
    wrongOption('dim', '1'),
    wrongOption('tau', 0),
    wrongOption('tau', -1),
    wrongOption('hard', 1),
  ],
};

export const softmax2dFamily: Family = {
  ops: ['softmax2d'],
  adaptive: true,
  shiftInvariant: true,
  draw: (_op, kind, drawn) => softmax2dCalls(kind, drawn),
  valid: (op) => call(op, { x: numbers([2, 2, 3]) }),
  resultShape: () => [2, 2, 3],
  wrongs: () => [
    wrongShape('x', [2, 3]),
    wrongShape('x', []),
    wrongShape('x', [1, 1, 1, 2, 2]),
    wrongOption('dim', 1),
  ],
};

/** Rows over the last one or two dimensions, now and then long or many of them. */
const normShapes: fc.Arbitrary<readonly [lead: readonly number[], last: readonly number[]]> =
  fc.oneof(
    {
      arbitrary: fc.tuple(
        fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 2 }),
      ),
      weight: 6,
    },
    {
      arbitrary: fc.tuple(fc.constantFrom([70], [9, 9]), fc.constantFrom([3], [32], [130])),
      weight: 2,
    },
    {
      arbitrary: fc.tuple(fc.constantFrom([], [2], [20]), fc.constantFrom([1028], [1101])),
      weight: 1,
    },
  );

/** What `defineNorm` has made. */
const norms: ReadonlyMap<string, NormOp> = new Map(
  catalog.flatMap((one) =>
    one.kind === 'norm' && 'rows' in one ? [[one.op, (one as Norm).rows] as const] : [],
  ),
);

/** Whether a norm takes the mean away: what is left of a constant row is 0 then. */
function isCentred(op: string): boolean {
  const norm = norms.get(op);
  if (!norm) throw new Error(`${op} is no norm of defineNorm`);
  const row = Float64Array.of(1, 1);
  const absent = norm.operands.map(({ name, absent: value }) => [
    name,
    Float64Array.of(value, value),
  ]);
  const y = new Float64Array(2);
  const rows: NormRows = {
    ...(Object.fromEntries(absent) as Record<string, Float64Array>),
    x: row,
  };
  norm.forward(rows, 1, y);
  return y.every((v) => v === 0);
}

/** The largest factor that a norm by squares multiplies a row by; hardly smaller than one by higher powers. Gradients of x are in units of it. */
function largestFactor(op: string, { data }: TensorSpec, n: number, eps: number): number {
  let most = 1;
  const centred = isCentred(op);
  for (let base = 0; base < data.length; base += n) {
    const row = data.slice(base, base + n);
    const mean = centred ? row.reduce((sum, v) => sum + v, 0) / n : 0;
    const square = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / n;
    const factor = 1 / Math.sqrt(square + eps);
    if (factor > most && factor < Infinity) most = factor;
  }
  return most;
}

/** Names of the tensors that a norm takes beside x. */
const operandsOf = (op: string): readonly string[] =>
  catalog.find((one) => one.op === op)?.weights ?? [];

function normCalls(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const operands = operandsOf(op);
  return fc
    .tuple(
      sized(drawn, normShapes, (r, c) => [[r], [c]] as const),
      magnitudes,
      fc.array(fc.boolean(), { minLength: operands.length, maxLength: operands.length }),
      maybe({ eps: fc.constantFrom(1e-6, 1e-3, 1) }),
    )
    .chain(([[lead, last], magnitude, has, options]) => {
      const there = operands.filter((_, i) => has[i]);
      return fc
        .record({
          x: floats([...lead, ...last], kind, magnitude),
          // Beside hostile operands of ordinary size say more of the rows.
          optional: fc
            .constantFrom<Values>(kind, kind === 'smooth' ? kind : 'any')
            .chain((own) =>
              fc.record(
                Object.fromEntries(there.map((name) => [name, floats(last, own, magnitude)])),
              ),
            ),
        })
        .map(({ x, optional }): Call => {
          const rows = Math.max(1, sizeOf(lead));
          const eps = Number(options.eps ?? 2 ** -23);
          const size = 4 * Math.max(1, magnitude);
          const weights = optional.weight?.data.filter(Number.isFinite) ?? [];
          const squares = weights.reduce((sum, w) => sum + w * w, 0);
          const typical = Math.max(1, Math.sqrt(squares / Math.max(1, weights.length)));
          return {
            op,
            positional: { x },
            optional: { ...optional },
            options,
            rest: [last],
            differentiable: ['x', ...there],
            scale: size,
            scales: {
              x: size * typical * largestFactor(op, x, sizeOf(last), eps),
              weight: 4 * rows,
              bias: rows,
            },
          };
        });
    });
}

export const normFamily: Family = {
  ops: [...norms.keys()],
  adaptive: true,
  draw: normCalls,
  valid: (op) => ({
    ...call(op, { x: numbers([2, 3]) }, { rest: [[3]] }),
    optional: Object.fromEntries(operandsOf(op).map((name, i) => [name, numbers([3], 0.5 + i)])),
    differentiable: ['x', ...operandsOf(op)],
  }),
  resultShape: () => [2, 3],
  wrongs: (op) => [
    ...operandsOf(op).flatMap((name) => [
      wrongShape(name, [2]),
      wrongShape(name, [1, 3]),
      wrongShape(name, []),
    ]),
    wrongShape('x', [3, 2], 'normalizedShape'),
    wrongShape('x', [], 'normalizedShape'),
    wrongOption('eps', -1e-5),
    wrongOption('dim', 1),
  ],
};

export const gatedFamily: Family = {
  ops: ofKind('gated'),
  draw: (op, kind, drawn) =>
    op in PAIR_OPTIONS
      ? fc.oneof(halvesCalls(op, kind, drawn), pairCalls(op, kind, drawn))
      : halvesCalls(op, kind, drawn),
  valid: (op) => call(op, { x: numbers([2, 4]) }, { options: { dim: 1 } }),
  resultShape: () => [2, 2],
  wrongs: () => [
    wrongShape('x', [2, 3]),
    wrongOption('dim', 2, IndexOutOfRangeError),
    wrongOption('dim', -3, IndexOutOfRangeError),
    wrongOption('dim', 0.5),
    wrongOption('dim', '1'),
    wrongOption('dim', null),
  ],
};

// Takes norms by channels, and gives their calls.
import fc from 'fast-check';
import { sizeOf } from '../../src/core/shape.ts';
import type { Call, TensorSpec } from './call.ts';
import { floats, magnitudes, maybe, sized, type Drawn, type Values } from './draw.ts';
import type { Family } from './family.ts';
import { call, numbers, wrongOption, wrongShape, type Wrong } from './wrong.ts';

/** How x is laid out, and into how many groups its channels go. */
interface Layout {
  readonly shape: readonly number[];
  readonly groups: number;
}

const extent = fc.integer({ min: 1, max: 4 });
const behind = fc.constantFrom([], [2], [3], [4], [7], [2, 4], [33], [260]);

/** Small ones of any number of dimensions, now and then with long rows. */
const own: fc.Arbitrary<Layout> = fc
  .tuple(fc.integer({ min: 0, max: 4 }), extent, extent, behind)
  .map(([batch, groups, each, rest]) => ({ shape: [batch, groups * each, ...rest], groups }));

/** Rows of so many elements: channels that lie together, between each other, or one by one. */
function layoutsOf(op: string, rows: number, columns: number): Layout[] {
  const half = Math.max(1, Math.floor(columns / 2));
  if (op === 'batchNorm') {
    return [
      { shape: [1, rows, columns], groups: 1 },
      { shape: [2, rows, half], groups: 1 },
      { shape: [columns, rows], groups: 1 },
    ];
  }
  if (op === 'instanceNorm') {
    return [
      { shape: [rows, 1, columns], groups: 1 },
      { shape: [1, rows, columns], groups: 1 },
    ];
  }
  return [
    { shape: [rows, 2, half], groups: 1 },
    { shape: [rows, 1, columns], groups: 1 },
    { shape: [1, 2 * rows, half], groups: rows },
  ];
}

/** The rows of x that are normalised, as indices. */
function rowsOf(op: string, { shape, groups }: Layout): number[][] {
  const [batch = 1, channels = 1, ...rest] = shape;
  const spatial = sizeOf(rest);
  const count = op === 'batchNorm' ? channels : batch * (op === 'groupNorm' ? groups : channels);
  const n = (batch * channels * spatial) / count;
  return Array.from({ length: count }, (_, r) =>
    Array.from({ length: n }, (_, i) =>
      op === 'batchNorm'
        ? (Math.floor(i / spatial) * channels + r) * spatial + (i % spatial)
        : r * n + i,
    ),
  );
}

/** The largest factor that a row is multiplied by: gradients of x are in units of it. */
function largestFactor(rows: readonly number[][], { data }: TensorSpec, eps: number): number {
  let most = 1;
  for (const row of rows) {
    const values = row.map((i) => data[i] ?? NaN);
    const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
    const square = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length;
    const factor = 1 / Math.sqrt(square + eps);
    if (factor > most && factor < Infinity) most = factor;
  }
  return most;
}

function valid(op: string, { shape, groups }: Layout, own: boolean): boolean {
  const [batch = 1, channels = 1, ...rest] = shape;
  const spatial = sizeOf(rest);
  if (op === 'groupNorm') return batch * (channels / groups) * spatial !== 1;
  if (op === 'batchNorm') return !own || batch * spatial !== 1;
  return !own || (spatial !== 1 && batch > 0);
}

function channelCalls(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const layouts = sized(
    drawn,
    own.map((one) => [one]),
    (r, c) => layoutsOf(op, r, c),
  );
  const mode = op === 'batchNorm' ? 'training' : 'useInputStats';
  return fc
    .tuple(
      layouts.chain((some) => fc.constantFrom(...some)),
      magnitudes,
      fc.array(fc.boolean(), { minLength: 2, maxLength: 2 }),
      maybe({ eps: fc.constantFrom(1e-6, 1e-3, 1) }),
      fc.constantFrom(true, true, false),
    )
    .map(([layout, magnitude, has, options, wanted]) => {
      const usesOwn = op === 'groupNorm' || (wanted && valid(op, layout, true));
      return { layout, magnitude, has, options, usesOwn };
    })
    .filter(({ layout, usesOwn }) => valid(op, layout, usesOwn))
    .chain(({ layout, magnitude, has, options, usesOwn }) => {
      const { shape, groups } = layout;
      const channels = [shape[1] ?? 1];
      const values = fc.constantFrom<Values>(kind, kind === 'smooth' ? kind : 'any');
      const affine = ['weight', 'bias'].filter((_, i) => has[i]);
      const operand = values.chain((own) =>
        fc.record(
          Object.fromEntries(affine.map((name) => [name, floats(channels, own, magnitude)])),
        ),
      );
      const statistics = usesOwn
        ? fc.constant({})
        : values.chain((own) =>
            fc.record({
              runningMean: floats(channels, own, magnitude),
              runningVar: floats(channels, own, magnitude, true),
            }),
          );
      return fc
        .record({ x: floats(shape, kind, magnitude), operand, statistics })
        .map(({ x, operand, statistics }): Call => {
          const eps = Number(options.eps ?? 1e-5);
          const size = 4 * Math.max(1, magnitude);
          const rows = rowsOf(op, layout);
          const weights = (operand as Record<string, TensorSpec>).weight?.data ?? [];
          const finite = weights.filter(Number.isFinite);
          const squares = finite.reduce((sum, w) => sum + w * w, 0);
          const typical = Math.max(1, Math.sqrt(squares / Math.max(1, finite.length)));
          const terms = Math.max(1, x.data.length / Math.max(1, channels[0] ?? 1));
          const variances = (statistics as Record<string, TensorSpec>).runningVar?.data ?? [];
          const given = variances.map((v) => 1 / Math.sqrt(v + eps)).filter(Number.isFinite);
          const factor = usesOwn ? largestFactor(rows, x, eps) : Math.max(1, ...given);
          return {
            op,
            positional: { x },
            optional: { ...operand, ...statistics },
            options: op === 'groupNorm' ? options : { ...options, [mode]: usesOwn },
            ...(op === 'groupNorm' ? { rest: [groups] } : {}),
            differentiable: ['x', ...affine],
            scale: usesOwn ? size : size * factor,
            scales: {
              x: size * typical * factor,
              weight: 4 * terms * (usesOwn ? 1 : factor * magnitude),
              bias: terms,
            },
          };
        });
    });
}

const OPERANDS = ['weight', 'bias'];
const STATISTICS = ['runningMean', 'runningVar'];

/** All that are given, in their order among the options. */
function validCall(op: string): Call {
  const names = op === 'groupNorm' ? OPERANDS : [...OPERANDS, ...STATISTICS];
  const some = op === 'groupNorm' ? { rest: [2] } : {};
  return {
    ...call(op, { x: numbers([2, 4, 3]) }, some),
    optional: Object.fromEntries(names.map((name, i) => [name, numbers([4], 0.5 + i)])),
    options: op === 'batchNorm' ? { training: true } : {},
    differentiable: ['x', ...OPERANDS],
  };
}

function wrongsOf(op: string): Wrong[] {
  const names = op === 'groupNorm' ? OPERANDS : [...OPERANDS, ...STATISTICS];
  const own = {
    groupNorm: [],
    batchNorm: [
      wrongShape('x', [1, 4]),
      wrongShape('x', [1, 4, 1]),
      wrongOption('training', 1),
      wrongOption('momentum', NaN),
      wrongOption('momentum', null),
    ],
    instanceNorm: [
      wrongShape('x', [2, 4]),
      wrongShape('x', [2, 4, 1]),
      wrongOption('useInputStats', 0),
      wrongOption('momentum', '1'),
    ],
  }[op];
  return [
    ...names.flatMap((name) => [
      wrongShape(name, [3]),
      wrongShape(name, [1, 4]),
      wrongShape(name, []),
    ]),
    wrongShape('x', [4]),
    wrongShape('x', []),
    wrongOption('eps', -1e-5),
    wrongOption('dim', 1),
    ...(own ?? []),
  ];
}

export const channelNormFamily: Family = {
  ops: ['groupNorm', 'instanceNorm', 'batchNorm'],
  adaptive: true,
  draw: channelCalls,
  valid: validCall,
  resultShape: () => [2, 4, 3],
  wrongs: wrongsOf,
};

// Takes embeddings, and gives their calls.
import fc from 'fast-check';
import { IndexOutOfRangeError, OptionError } from '../../src/index.ts';
import type { Call, TensorSpec } from './call.ts';
import {
  finite,
  floats,
  magnitudes,
  randomNumbers,
  sized,
  type Drawn,
  type Values,
} from './draw.ts';
import type { Family } from './family.ts';
import { call, classes, numbers, wrongOption, wrongShape } from './wrong.ts';

/** How indices are spread over rows: at random, all alike, in order, most alike. */
const SPREADS = ['random', 'one', 'sorted', 'skewed'] as const;

function indicesOf(
  shape: readonly number[],
  rows: number,
  spread: (typeof SPREADS)[number],
  seed: number,
): TensorSpec {
  const random = randomNumbers(seed);
  const any = (): number => Math.floor(random() * rows);
  const one = any();
  const data = Array.from({ length: shape.reduce((n, d) => n * d, 1) }, () => {
    if (spread === 'one') return one;
    return spread === 'skewed' && random() < 0.9 ? one : any();
  });
  if (spread === 'sorted') data.sort((a, b) => a - b);
  return { shape, dtype: 'int32', data };
}

function embeddingCalls(kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const own = fc.record({
    rows: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(300)),
    width: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constantFrom(4, 32, 130)),
    lead: fc.oneof(
      { arbitrary: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }), weight: 3 },
      { arbitrary: fc.constantFrom([31], [32], [33], [600], [2, 65]), weight: 2 },
    ),
  });
  const extents = sized(drawn, own, (rows, width) => ({
    rows,
    width,
    lead: [Math.max(1, Math.min(70, Math.floor(2 ** 16 / width)))],
  }));
  return fc
    .tuple(extents, magnitudes, fc.constantFrom(...SPREADS), fc.noShrink(fc.nat()), fc.nat(5))
    .chain(([{ rows, width, lead }, magnitude, spread, seed, pad]) => {
      const indices = indicesOf(lead, rows, spread, seed);
      const most = Math.max(1, indices.data.length);
      return floats([rows, width], kind, magnitude).map((weight): Call => ({
        op: 'embedding',
        positional: { indices, weight },
        optional: {},
        // Differences tell nothing of a row that has no gradient, or one that is scaled.
        options: {
          ...(kind === 'smooth' || pad < 3 ? {} : { paddingIdx: pad === 3 ? -1 : seed % rows }),
          ...(kind === 'smooth' || pad % 2 === 0 ? {} : { scaleGradByFreq: true }),
        },
        differentiable: ['weight'],
        scale: 0,
        scales: { weight: Math.sqrt(most) },
      }));
    });
}

export const embeddingFamily: Family = {
  ops: ['embedding'],
  draw: (_op, kind, drawn) => embeddingCalls(kind, drawn),
  valid: (op) => call(op, { indices: classes(1, 0, 1), weight: numbers([2, 3]) }),
  resultShape: () => [3, 3],
  wrongs: () => [
    wrongShape('weight', [3]),
    wrongShape('weight', [2, 3, 1]),
    wrongShape('weight', []),
    { what: 'of no row', argument: 'indices', value: () => [0, 9], error: IndexOutOfRangeError },
    wrongOption('paddingIdx', 2),
    wrongOption('paddingIdx', -3),
    wrongOption('paddingIdx', 0.5),
    wrongOption('paddingIdx', '0'),
    wrongOption('scaleGradByFreq', 1),
    wrongOption('scaleGradByFreq', 'true'),
    wrongOption('maxNorm', 1, OptionError),
  ],
};

/** Rows of a sequence, whole or in part, by tables of each position, one for all, or one for each batch element. */
function rotaryCalls(kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const shape = fc.record({
    lead: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
    positions: fc.constantFrom(1, 5, 70),
    width: fc.constantFrom(0, 2, 5, 8, 24, 64),
  });
  const own = fc.tuple(shape, fc.nat(3), fc.nat(2));
  const rows = sized(
    drawn,
    own.map(([{ lead, positions, width }, table, part]) => {
      const most = Math.floor(width / 2);
      const pairs = [most, 4 * Math.floor(most / 4), Math.ceil(most / 2)][part] ?? most;
      const tables = [[positions], [1], [...lead, positions], [...lead.map(() => 1), 1]][table];
      return { x: [...lead, positions, width], table: [...(tables ?? []), pairs] };
    }),
    (r, c) => ({ x: [r, c], table: [r, Math.floor(c / 2)] }),
  );
  return fc
    .tuple(rows, magnitudes, fc.constantFrom(undefined, false, true))
    .chain(([{ x, table }, magnitude, interleaved]) =>
      fc.record({
        op: fc.constant('rotaryEmbedding'),
        positional: fc.record({
          x: floats(x, kind, magnitude),
          cos: finite(table, 1),
          sin: finite(table, 1),
        }),
        optional: fc.constant({}),
        options: fc.constant(interleaved === undefined ? {} : { interleaved }),
        differentiable: fc.constant(['x']),
        scale: fc.constant(Math.max(1, magnitude)),
      }),
    );
}

export const rotaryFamily: Family = {
  ops: ['rotaryEmbedding'],
  draw: (_op, kind, drawn) => rotaryCalls(kind, drawn),
  valid: (op) => ({
    ...call(op, { x: numbers([2, 3, 8]), cos: numbers([3, 4]), sin: numbers([3, 4]) }),
    differentiable: ['x'],
  }),
  resultShape: () => [2, 3, 8],
  wrongs: () => [
    wrongShape('cos', [3, 3], 'sin'),
    wrongShape('sin', [3, 3]),
    wrongShape('sin', [1, 4]),
    wrongShape('x', [2, 3, 7], 'cos'),
    wrongShape('x', [2, 2, 8], 'cos'),
    wrongShape('x', []),
    wrongOption('offset', 1, OptionError),
  ],
};

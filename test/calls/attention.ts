// Takes attention, and gives its calls.
import fc from 'fast-check';
import type { Call, TensorSpec } from './call.ts';
import {
  floats,
  magnitudes,
  maybe,
  randomNumbers,
  sized,
  type Drawn,
  type Values,
} from './draw.ts';
import type { Family } from './family.ts';
import { call, numbers, wrongOption, wrongShape } from './wrong.ts';

/** Batch dimensions of query, and of key and value; whether heads are grouped. */
interface Batches {
  readonly query: readonly number[];
  readonly key: readonly number[];
  readonly grouped: boolean;
}

const batches = fc.constantFrom<Batches>(
  { query: [], key: [], grouped: false },
  { query: [2], key: [2], grouped: false },
  { query: [2, 3], key: [2, 3], grouped: false },
  { query: [2, 1], key: [1, 3], grouped: false },
  { query: [3], key: [2, 1], grouped: false },
  { query: [2, 4], key: [2, 2], grouped: true },
  { query: [3], key: [1], grouped: true },
);

/** Sizes round the tiles of the kernel, now and then. */
const extent = fc.oneof(
  { arbitrary: fc.integer({ min: 1, max: 9 }), weight: 6 },
  { arbitrary: fc.constantFrom(31, 32, 33, 63, 64, 65), weight: 1 },
);
const columns = fc.oneof(
  { arbitrary: fc.integer({ min: 1, max: 8 }), weight: 5 },
  { arbitrary: fc.constantFrom(16, 33, 64, 65, 68, 130), weight: 1 },
);

type MaskKind = 'none' | 'keep' | 'add';
type MaskShape = 'whole' | 'keys' | 'rows' | 'all';

interface Sizes {
  readonly rows: number;
  readonly keys: number;
  readonly columns: number;
  readonly valueColumns: number;
  readonly batches: Batches;
  readonly mask: MaskKind;
  readonly maskShape: MaskShape;
  readonly sinks: boolean;
}

const own: fc.Arbitrary<Sizes> = fc.record({
  rows: extent,
  keys: extent,
  columns,
  valueColumns: columns,
  batches,
  mask: fc.constantFrom<MaskKind>('none', 'none', 'keep', 'add'),
  maskShape: fc.constantFrom<MaskShape>('whole', 'keys', 'rows', 'all'),
  sinks: fc.boolean(),
});

/** Scores of [rows, keys], most of which come from a mask. */
const asked = (rows: number, keys: number): Sizes => ({
  rows,
  keys,
  columns: 4,
  valueColumns: 3,
  batches: { query: [], key: [], grouped: false },
  mask: 'add',
  maskShape: 'whole',
  sinks: false,
});

/** Zeros and ones from a seed. */
function flags(shape: readonly number[]): fc.Arbitrary<TensorSpec> {
  return fc.noShrink(fc.nat()).map((seed) => {
    const random = randomNumbers(seed);
    const size = shape.reduce((product, d) => product * d, 1);
    const data = Array.from({ length: size }, () => (random() < 0.7 ? Math.ceil(3 * random()) : 0));
    return { shape, dtype: 'int32', data };
  });
}

function attentionCalls(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const sizes = sized(drawn, own, asked);
  const plain = kind === 'smooth' || kind === 'any' || kind === 'wild';
  return fc
    .tuple(
      sizes,
      magnitudes,
      fc.boolean(),
      maybe({
        scale: fc.constantFrom(0.25, -0.5, 1),
        softcap: fc.constantFrom(2, 20),
        window: fc.constantFrom(3, [1, 2], [40, 0], [0, Infinity]),
        // Another mask by each device's own key would be another call: all draw the same after manualSeed.
        dropoutP: fc.constantFrom(0, 0.25),
      }),
    )
    .chain(([s, magnitude, causal, options]) => {
      const { rows, keys, batches: at } = s;
      const heads = s.batches.grouped
        ? (at.query.at(-1) ?? 1)
        : Math.max(at.query.at(-1) ?? 1, at.key.at(-1) ?? 1);
      const maskShape = {
        whole: at.grouped ? [rows, keys] : [...at.query.slice(-1), rows, keys],
        keys: [1, keys],
        rows: [rows, 1],
        all: [],
      }[s.maskShape];
      const optional: Record<string, fc.Arbitrary<TensorSpec>> = {
        ...(s.mask === 'keep' ? { attnMask: flags(maskShape) } : {}),
        ...(s.mask === 'add' ? { attnMask: floats(maskShape, kind, magnitude) } : {}),
        ...(s.sinks ? { sinks: floats([heads], 'smooth', 3) } : {}),
      };
      // Hostile rows are those of the mask.
      const inner = plain ? kind : 'smooth';
      return fc
        .record({
          query: floats([...at.query, rows, s.columns], inner, 2),
          key: floats([...at.key, keys, s.columns], inner, 2),
          value: floats([...at.key, keys, s.valueColumns], inner, magnitude),
          optional: fc.record(optional),
        })
        .map(({ optional: given, ...positional }): Call => ({
          op,
          positional,
          optional: { ...given },
          options: {
            ...options,
            ...(at.grouped ? { enableGqa: true } : {}),
            ...(causal && s.mask === 'none' ? { isCausal: true } : {}),
          },
          differentiable: [
            'query',
            'key',
            'value',
            ...(s.mask === 'add' ? ['attnMask'] : []),
            ...(s.sinks ? ['sinks'] : []),
          ],
          scale: 8 * magnitude * Math.max(rows, keys) * 6,
          scales: { out: 4 * magnitude },
        }));
    });
}

export const attentionFamily: Family = {
  ops: ['scaledDotProductAttention'],
  adaptive: true,
  draw: attentionCalls,
  valid: (op) => ({
    ...call(op, { query: numbers([2, 3, 4]), key: numbers([2, 5, 4]), value: numbers([2, 5, 2]) }),
    optional: { attnMask: numbers([3, 5]), sinks: numbers([2]) },
    differentiable: ['query', 'key', 'value', 'attnMask', 'sinks'],
  }),
  resultShape: () => [2, 3, 2],
  wrongs: () => [
    wrongShape('query', [2, 3, 5], 'key'),
    wrongShape('query', [4]),
    wrongShape('key', [2, 6, 4], 'value'),
    wrongShape('key', [3, 5, 4]),
    wrongShape('value', [2, 4, 2]),
    wrongShape('value', [3, 5, 2]),
    wrongShape('attnMask', [3, 4]),
    wrongShape('attnMask', [2, 5]),
    wrongShape('attnMask', [2, 2, 3, 5]),
    wrongShape('sinks', [3]),
    wrongShape('sinks', []),
    wrongOption('enableGqa', 1),
    wrongOption('isCausal', true),
    wrongOption('isCausal', 1),
    wrongOption('scale', NaN),
    wrongOption('scale', Infinity),
    wrongOption('scale', '1'),
    wrongOption('softcap', 0),
    wrongOption('softcap', -1),
    wrongOption('dropoutP', -0.1),
    wrongOption('dropoutP', 1.1),
    wrongOption('window', -1),
    wrongOption('window', 1.5),
    wrongOption('window', [1]),
    wrongOption('window', [1, -1]),
    wrongOption('window', 'all'),
  ],
};

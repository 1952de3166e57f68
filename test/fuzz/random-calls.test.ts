// The calls of test/gpu/property.test.ts, many of them: see scripts/fuzz.mjs.
import { opNames } from '../calls.ts';
import { randomCallSuite } from '../gpu/random-calls.ts';

/** Set by scripts/fuzz.mjs; without it, as a lane of scripts/test.mjs, every op by the same calls each time. */
interface Settings {
  readonly ops: readonly string[];
  readonly draws: number;
  readonly fewer?: Readonly<Record<string, number>>;
  readonly seed?: number;
}

/** Ops of which the lane draws fewer: nearly each call of attention needs pipelines of its own, 2.4 s a call. */
const FEWER = { scaledDotProductAttention: 40 };

const given: unknown = import.meta.env.VITE_FUZZ;
const settings: Settings =
  typeof given === 'string'
    ? (JSON.parse(given) as Settings)
    : { ops: [], draws: 150, fewer: FEWER, seed: 1 };
const { ops } = settings;
const unknown = ops.filter((op) => !opNames.includes(op));
if (unknown.length > 0)
  throw new Error(`no op ${unknown.join(', ')}; there are ${opNames.join(', ')}`);

randomCallSuite(ops.length > 0 ? ops : opNames, { ...settings, hostile: true, fresh: true });

// The calls of test/gpu/property.test.ts, many of them: see scripts/fuzz.mjs.
import { opNames } from '../calls.ts';
import { randomCallSuite } from '../gpu/random-calls.ts';

/** Set by scripts/fuzz.mjs. */
interface Settings {
  readonly ops: readonly string[];
  readonly draws: number;
  readonly seed: number;
}

const { ops, draws, seed } = JSON.parse(String(import.meta.env.VITE_FUZZ)) as Settings;
const unknown = ops.filter((op) => !opNames.includes(op));
if (unknown.length > 0)
  throw new Error(`no op ${unknown.join(', ')}; there are ${opNames.join(', ')}`);

randomCallSuite(ops.length > 0 ? ops : opNames, { draws, seed });

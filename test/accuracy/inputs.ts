// Takes how many inputs, and the constants of an op, and gives float32 inputs in chunks that reach every exponent and sign,
// float16 inputs, upstream gradients and rows.
import type { Documented } from '../../src/define/op.ts';
import { fromHalf } from '../../src/core/dtype.ts';
import type { Source } from '../../src/shader/link.ts';
import { epilogueOf, gatedOf, optionSets } from './cases.ts';

/** Inputs of one call. A device may flush subnormal ones to 0, so they come by themselves. */
export interface Chunk {
  readonly x: Float32Array;
  readonly subnormal: boolean;
}

/** Neighbours of a constant that are tried on each side of it. */
const RUN = 64;
const CHUNK = 2 ** 22;
const words = new Uint32Array(1);
const single = new Float32Array(words.buffer);

/** Repeatable numbers in [0, 1) (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` inputs (a power of two from 2^9): as many in each of the 512 pairs of sign and exponent. */
export function stratified(count: number): Chunk[] {
  const next = random(1);
  const each = count / 512;
  const step = 2 ** 23 / each;
  const inputs = (strata: readonly number[]): Float32Array => {
    const bits = new Uint32Array(strata.length * each);
    strata.forEach((stratum, s) => {
      for (let i = 0; i < each; i++) {
        bits[s * each + i] = stratum * 2 ** 23 + i * step + Math.floor(next() * step);
      }
    });
    return new Float32Array(bits.buffer);
  };
  const normal = Array.from({ length: 512 }, (_, s) => s).filter((s) => s % 256 > 0);
  return [
    { x: inputs(normal), subnormal: false },
    { x: inputs([0, 256]), subnormal: true },
  ];
}

/** Every float32 near `constants` and their negatives, 0 and the ends of the normal range. */
export function runsRound(constants: readonly number[]): Chunk[] {
  const [normal, subnormal]: [number[], number[]] = [[], []];
  for (const x of new Set([...constants, 0, 1, 2 ** -126, Infinity].map(Math.abs))) {
    single[0] = x;
    const middle = words[0] ?? 0;
    for (let bits = Math.max(0, middle - RUN); bits <= middle + RUN; bits++) {
      (bits < 2 ** 23 ? subnormal : normal).push(bits, bits + 2 ** 31);
    }
  }
  return [
    { x: fromBits(normal), subnormal: false },
    { x: fromBits(subnormal), subnormal: true },
  ];
}

function fromBits(bits: readonly number[]): Float32Array {
  return new Float32Array(Uint32Array.from(bits).buffer);
}

/** All 2^32 float32 values, NaNs included. */
export function* everyFloat(): Generator<Chunk> {
  const bits = new Uint32Array(CHUNK);
  for (let first = 0; first < 2 ** 32; first += CHUNK) {
    for (let i = 0; i < CHUNK; i++) bits[i] = first + i;
    yield { x: new Float32Array(bits.buffer), subnormal: first % 2 ** 31 < 2 ** 23 };
  }
}

/** All 65,536 float16 values; each is a normal float32 or 0. */
export const everyHalf: Chunk = {
  x: Float32Array.from({ length: 2 ** 16 }, (_, bits) => fromHalf(bits)),
  subnormal: false,
};

/** Upstream gradients in [1, 2): exact in either dtype, and no product leaves the range that the derivative is in. */
export function upstream(size: number, dtype: 'float32' | 'float16'): Float32Array {
  const next = random(2);
  const steps = dtype === 'float16' ? 2 ** 10 : 2 ** 23;
  return Float32Array.from({ length: size }, () => 1 + Math.floor(next() * steps) / steps);
}

/** Where an op may bend: its options' values and the numbers in its WGSL, kinks and thresholds among them. */
export function constantsOf(op: Documented): number[] {
  const options = optionSets(op).flatMap((set) => Object.values(set).map(Number));
  const source = (epilogueOf(op) ?? gatedOf(op)?.activation.epilogue)?.source;
  return [...options, ...(source ? literalsIn(source) : [])].filter(Number.isFinite);
}

function literalsIn(source: Source): number[] {
  const literal = /\b(0x[\da-f]+\.?[\da-f]*(?:p[+-]?\d+)?|\d+\.?\d*(?:e[+-]?\d+)?)[fiu]?\b/gi;
  const own = [...source.text.matchAll(literal)].map(([, text = '']) => parse(text));
  return [...own.filter((x) => x < 2 ** 128), ...source.includes.flatMap(literalsIn)];
}

function parse(text: string): number {
  const hex = /^0x([\da-f]+)\.?([\da-f]*)(?:p([+-]?\d+))?$/i.exec(text);
  if (!hex) return Number(text);
  const [, whole = '', fraction = '', exponent = '0'] = hex;
  return parseInt(whole + fraction, 16) * 2 ** (Number(exponent) - 4 * fraction.length);
}

/** Rows of `n` numbers: bell-shaped, of several widths, and every tenth with -Infinity in it. */
export function rowsOf(n: number, rows: number): Float32Array {
  const next = random(n);
  const widths = [0.1, 1, 5, 30];
  return Float32Array.from({ length: rows * n }, (_, i) => {
    const row = Math.floor(i / n);
    if (row % 10 === 9 && i % n === 1) return -Infinity;
    const bell = next() + next() + next() + next() - 2;
    return bell * (widths[row % 4] ?? 1);
  });
}

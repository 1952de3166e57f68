// Takes numbers, and gives how far apart they are in units in the last place, and how a float64 rounds to float32 and
// float16.
import { fromHalf, toHalf } from '../src/core/dtype.ts';

const word = new DataView(new ArrayBuffer(8));

/** floor(log2 |x|) of a finite x that is not 0, exact. */
function exponentOf(x: number): number {
  word.setFloat64(0, x);
  return ((word.getUint32(0) >>> 20) & 0x7ff) - 1023;
}

/** Spacing of float32 at x: 2^(max(floor(log2 |x|), -126) - 23). */
export function ulp32(x: number): number {
  return 2 ** (Math.max(exponentOf(x), -126) - 23);
}

/** Spacing of float16 at x. */
export function ulp16(x: number): number {
  return 2 ** (Math.max(exponentOf(x), -14) - 10);
}

/** x rounded to float16, as a number. */
export function roundHalf(x: number): number {
  return fromHalf(toHalf(x));
}

export type Class = 'finite' | 'nan' | 'inf' | '-inf';

export function classOf(x: number): Class {
  if (Number.isNaN(x)) return 'nan';
  if (x === Infinity) return 'inf';
  return x === -Infinity ? '-inf' : 'finite';
}

/** The largest finite magnitude; 0 for none. */
export function largest(values: Iterable<number>): number {
  let most = 0;
  for (const value of values) {
    const magnitude = Math.abs(value);
    if (magnitude > most && magnitude < Infinity) most = magnitude;
  }
  return most;
}

/** The smallest normal float32: below it a device may flush to zero. */
export const SMALLEST_NORMAL = 2 ** -126;

export function isSubnormal(x: number): boolean {
  return x !== 0 && Math.abs(x) < SMALLEST_NORMAL;
}

// Takes float32 or float16 results and what they should be in float64, and gives the largest error in ULP of float32, and
// where.
import { fromHalf, toHalf } from '../../src/core/dtype.ts';
import { SMALLEST_NORMAL, ulp32 } from '../ulp.ts';

/** The largest error found; `ulp` is Infinity for a NaN or an infinity out of place. */
export interface Worst {
  readonly ulp: number;
  /** The input; of a row-wise op, one element of it. */
  readonly x: number;
  readonly got: number;
  readonly want: number;
  /** The largest error in ULP of the result itself, where `ulp` counts in those of larger terms. */
  readonly plain: number;
  /** The largest error that is a number. */
  readonly finite: number;
}

export const NONE: Worst = { ulp: 0, x: NaN, got: NaN, want: NaN, plain: 0, finite: 0 };

export function worse(a: Worst, b: Worst): Worst {
  return {
    ...(b.ulp > a.ulp ? b : a),
    plain: Math.max(a.plain, b.plain),
    finite: Math.max(a.finite, b.finite),
  };
}

/** Infinity counts as 2^128, the float32 after the largest. */
const clamp = (x: number): number => Math.min(Math.max(x, -(2 ** 128)), 2 ** 128);

/**
 * WGSL lets a device flush subnormal numbers to 0 at any step: under this, differences do not count. A gradient may
 * have been flushed before it was multiplied by the upstream one, which is below 2 here.
 */
export const FLUSHED = { forward: SMALLEST_NORMAL, backward: 2 * SMALLEST_NORMAL };
/** The same of gated units, where a factor below 2 comes on top. */
export const FLUSHED_GATED = { forward: 2 * SMALLEST_NORMAL, backward: 4 * SMALLEST_NORMAL };
type Direction = keyof typeof FLUSHED;

/** Distance of a float32 from the float64 it stands for, in ULP of `want` or of `term` if that is larger. */
export function ulpError(got: number, want: number, term: number, flushed: number): number {
  if (got === want) return 0;
  if (Number.isNaN(got) || Number.isNaN(want)) {
    return Number.isNaN(got) && Number.isNaN(want) ? 0 : Infinity;
  }
  if (Math.abs(got) < SMALLEST_NORMAL && Math.abs(want) < flushed) return 0;
  const finite = clamp(want);
  return Math.abs(clamp(got) - finite) / ulp32(Math.max(Math.abs(finite), clamp(term)));
}

/**
 * How far, in ULP of float32, the value that a float16 was rounded from must have been from `want`: 0 where the float16
 * is the correctly rounded one.
 */
export function halfError(got: number, want: number, term: number): number {
  if (Number.isNaN(got) || Number.isNaN(want)) {
    return Number.isNaN(got) && Number.isNaN(want) ? 0 : Infinity;
  }
  const bits = toHalf(Math.abs(got));
  const most = bits >= 0x7bff ? (bits > 0x7bff ? Infinity : 65520) : middle(bits, bits + 1);
  const least = bits === 0 ? -middle(0, 1) : bits > 0x7bff ? 65520 : middle(bits - 1, bits);
  const sign = got < 0 || Object.is(got, -0) ? -1 : 1;
  const value = clamp(want) * sign;
  const off = Math.max(least - value, value - most, 0);
  return off / ulp32(Math.max(Math.abs(clamp(want)), clamp(term)));
}

const middle = (a: number, b: number): number => (fromHalf(a) + fromHalf(b)) / 2;

export interface Results {
  /** Of as many elements as the results, or any number: then `Worst.x` is the element at the same place, if there is one. */
  readonly x: ArrayLike<number>;
  readonly got: ArrayLike<number>;
  /** One or, where the device may have flushed its inputs, two answers that are right. */
  readonly wants: readonly ArrayLike<number>[];
  /** Magnitudes of largest terms. */
  readonly terms?: ArrayLike<number> | undefined;
  /** Whether they are a gated unit's. */
  readonly gated?: boolean;
}

export function measure(
  dtype: 'float32' | 'float16',
  direction: Direction,
  { x, got, wants, terms, gated = false }: Results,
): Worst {
  const flushed = (gated ? FLUSHED_GATED : FLUSHED)[direction];
  const error = dtype === 'float16' ? halfError : ulpError;
  let worst = NONE;
  let [plain, finite] = [0, 0];
  for (let i = 0; i < got.length; i++) {
    const value = got[i] ?? NaN;
    let [least, leastPlain] = [Infinity, Infinity];
    for (const want of wants) {
      leastPlain = Math.min(leastPlain, error(value, want[i] ?? NaN, 0, flushed));
      least = Math.min(least, error(value, want[i] ?? NaN, terms?.[i] ?? 0, flushed));
    }
    plain = Math.max(plain, leastPlain);
    if (least > finite && least < Infinity) finite = least;
    if (least > worst.ulp) {
      worst = { ulp: least, x: x[i] ?? NaN, got: value, want: wants[0]?.[i] ?? NaN, plain, finite };
    }
  }
  return { ...worst, plain, finite };
}

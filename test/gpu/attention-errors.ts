// Takes a call of attention, and an element of its result or gradients, and gives how far off float32 may put it: where a mask is
// added that is far from 0, the sum keeps few digits of the score, or none.
import type { Call, TensorSpec } from '../calls.ts';

const largest = (spec: TensorSpec | undefined): number =>
  Math.max(0, ...(spec?.data ?? []).map(Math.abs).filter(Number.isFinite));

/** How far the shares of each row of the mask may be off, which are at most 1. */
function sharesOff({ shape, data }: TensorSpec, { options }: Call): number[] {
  const n = shape.at(-1) ?? 1;
  const window =
    typeof options.window === 'number' ? [options.window, options.window] : options.window;
  const [before = Infinity, after = Infinity] = (window ?? []) as (number | null)[];
  return Array.from({ length: data.length / n }, (_, i) => {
    const row = data.slice(i * n, (i + 1) * n);
    // What rows a shorter mask is of is not looked at: all that it holds may be the largest score of one.
    const whole = shape.length === 2;
    const seen = row.filter(
      (_value, j) => !whole || (j >= i - (before ?? Infinity) && j <= i + (after ?? Infinity)),
    );
    const finite = seen.filter(Number.isFinite);
    const most = whole ? Math.max(...finite) : Math.max(...finite.map(Math.abs));
    const off = 2 ** -22 * Math.abs(most);
    return finite.length === 0 ? 0 : Math.min(1, Math.expm1(Math.min(off, 1)));
  });
}

const known = new WeakMap<Call, number[]>();

export function scoreBound(call: Call, name: string, index: number): number {
  const { attnMask } = call.optional;
  const { query, key, value } = call.positional;
  if (attnMask?.dtype !== 'float') return 0;
  let rows = known.get(call);
  if (!rows) known.set(call, (rows = sharesOff(attnMask, call)));
  const valueColumns = value?.shape.at(-1) ?? 1;
  const total = rows.reduce((sum, off) => sum + off, 0);
  const out = 2 * largest(value);
  if (name === 'out') {
    const row = Math.floor(index / valueColumns);
    return out * (rows.length === query?.shape.at(-2) ? (rows[row % rows.length] ?? 0) : total);
  }
  // Upstream gradients are at most 2.
  const repeated = (query?.data.length ?? 0) / (query?.shape.at(-1) ?? 1);
  const others = Math.max(1, largest(query), largest(key));
  return 8 * total * Math.ceil(repeated / rows.length) * out * others * valueColumns;
}

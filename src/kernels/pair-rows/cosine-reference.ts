// The cosine of two rows and its gradient in float64.
import { at } from '../../cpu/rows.ts';

/** The scalar product and both sums of squares. */
export function squares(x: Float64Array, y: Float64Array): [dot: number, xx: number, yy: number] {
  let [dot, xx, yy] = [0, 0, 0];
  for (const [i, a] of x.entries()) {
    const b = at(y, i);
    dot += a * b;
    xx += a * a;
    yy += b * b;
  }
  return [dot, xx, yy];
}

/**
 * Writes g times the gradient with respect to `v`. `length` is the length of v after the guard against division by 0,
 * and `own` the length in the derivative of the length. `w` and `other` are the other row and its guarded length.
 */
export function cosineGrad(
  v: Float64Array,
  w: Float64Array,
  value: number,
  length: number,
  own: number,
  other: number,
  g: number,
  grad: Float64Array,
): void {
  for (const [i, a] of v.entries()) {
    const along = own === 0 ? 0 : a / own;
    grad[i] = (g / length) * (at(w, i) / other - value * along);
  }
}

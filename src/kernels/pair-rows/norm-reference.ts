// The p-norm of a row of differences and its gradient in float64, as in torch.linalg.vector_norm.
import { at } from '../../cpu/rows.ts';

/** The sum of `f` over all elements. */
function sumOf(d: Float64Array, f: (v: number) => number): number {
  let sum = 0;
  for (let i = 0; i < d.length; i++) sum += f(at(d, i));
  return sum;
}

// Math.max and Math.min return NaN if an element is NaN.
const largest = (d: Float64Array): number => d.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
const smallest = (d: Float64Array): number =>
  d.reduce((m, v) => Math.min(m, Math.abs(v)), Infinity);

const signOf = (v: number): number => Number(v > 0) - Number(v < 0);

export function norm(d: Float64Array, p: number): number {
  if (p === 0) return sumOf(d, (v) => Number(v !== 0));
  if (p === 1) return sumOf(d, Math.abs);
  if (p === 2) return Math.sqrt(sumOf(d, (v) => v * v));
  if (p === Infinity) return largest(d);
  if (p === -Infinity) return smallest(d);
  // Elements are divided by the largest (smallest) one, because powers of numbers far from 1 leave the range of
  // float64.
  const scale = p > 0 ? largest(d) : smallest(d);
  const unit = scale > 0 && scale < Infinity ? scale : 1;
  return unit * sumOf(d, (v) => Math.abs(v / unit) ** p) ** (1 / p);
}

/** The gradient of a norm that is not 0 with respect to a difference. */
function slopeOf(d: Float64Array, p: number, value: number): (v: number) => number {
  if (p === 0) return () => 0;
  if (p === 1) return signOf;
  if (p === 2) return (v) => v / value;
  if (Math.abs(p) === Infinity) {
    const count = sumOf(d, (v) => Number(Math.abs(v) === value));
    return (v) => (Math.abs(v) === value ? signOf(v) / count : 0);
  }
  return (v) => (v === 0 ? 0 : signOf(v) * Math.abs(v / value) ** (p - 1));
}

/**
 * Writes g times the gradient with respect to each difference. Where the norm is 0 the result is 0, even for an
 * infinite g.
 */
export function normGrad(
  d: Float64Array,
  p: number,
  value: number,
  g: number,
  grad: Float64Array,
): void {
  const none = p === 0 || (value === 0 && p !== 1 && Math.abs(p) !== Infinity);
  if (none) {
    grad.fill(0);
    return;
  }
  const slope = slopeOf(d, p, value);
  for (let i = 0; i < d.length; i++) grad[i] = g * slope(at(d, i));
}

/** The number of the WGSL constant `kind` for a norm of degree p. */
export function normKind(p: number): number {
  if (p === Infinity) return 4;
  if (p === -Infinity) return 5;
  return p === 0 || p === 1 || p === 2 ? p : 3;
}

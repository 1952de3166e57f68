// In: differences and p. Out: their p-norm and its gradient in float64, as torch.linalg.vector_norm has them.

// Math.max and Math.min keep a NaN.
const largest = (d: Float64Array): number => d.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
const smallest = (d: Float64Array): number =>
  d.reduce((m, v) => Math.min(m, Math.abs(v)), Infinity);

export function norm(d: Float64Array, p: number): number {
  if (p === 0) return d.reduce((sum, v) => sum + Number(v !== 0), 0);
  if (p === 1) return d.reduce((sum, v) => sum + Math.abs(v), 0);
  if (p === Infinity) return largest(d);
  if (p === -Infinity) return smallest(d);
  // Powers of what is far from 1 leave float64 as well.
  const scale = p === 2 ? 1 : p > 0 ? largest(d) : smallest(d);
  const unit = scale > 0 && scale < Infinity ? scale : 1;
  const sum = d.reduce((total, v) => total + Math.abs(v / unit) ** p, 0);
  return unit * (p === 2 ? Math.sqrt(sum) : sum ** (1 / p));
}

/** Writes g times the gradient with respect to each difference. Where the norm is 0 that is 0 whatever g is. */
export function normGrad(
  d: Float64Array,
  p: number,
  value: number,
  g: number,
  grad: Float64Array,
): void {
  const extreme = Math.abs(p) === Infinity;
  const count = extreme ? d.reduce((n, v) => n + Number(Math.abs(v) === value), 0) : 1;
  for (const [i, v] of d.entries()) {
    const sign = Number(v > 0) - Number(v < 0);
    if (p === 0) grad[i] = 0;
    else if (p === 1) grad[i] = g * sign;
    else if (extreme) grad[i] = g * (Math.abs(v) === value ? sign / count : 0);
    else if (value === 0) grad[i] = 0;
    else if (p === 2) grad[i] = g * (v / value);
    else grad[i] = g * (v === 0 ? 0 : sign * Math.abs(v / value) ** (p - 1));
  }
}

/** What `kind` of norm a p is, for WGSL. */
export function normKind(p: number): number {
  if (p === Infinity) return 4;
  if (p === -Infinity) return 5;
  return p === 0 || p === 1 || p === 2 ? p : 3;
}

// In: a float64. Out: functions of it that more than one op computes with, each with relative accuracy in its tails.

/** Logistic function. */
export function logistic(x: number): number {
  const e = Math.exp(-Math.abs(x));
  return x < 0 ? e / (1 + e) : 1 / (1 + e);
}

/** ln(1 + e^x). */
export function softplusOf(x: number): number {
  const tail = Math.log1p(Math.exp(-Math.abs(x)));
  return x > 0 ? x + tail : tail;
}

/** The derivative of z · logistic(v), for slope = z · dv/dz. */
export function gateSlope(v: number, slope: number): number {
  // Where logistic(v) is 0, so is its product with anything finite.
  return logistic(v) * (1 + slope * logistic(-v));
}

/** The larger of the two terms of `gateSlope`. */
export function gateTerm(v: number, slope: number): number {
  return logistic(v) * Math.max(1, Math.abs(slope) * logistic(-v));
}

/** A row's softmax. */
export function softmaxOf(x: Float64Array, y: Float64Array): void {
  const peak = x.reduce((a, b) => Math.max(a, b), -Infinity);
  let sum = 0;
  for (const [i, v] of x.entries()) sum += y[i] = Math.exp(v - peak);
  for (const [i, v] of y.entries()) y[i] = v / sum;
}

/** Its gradient, from the result. */
export function softmaxGrad(
  y: Float64Array,
  gradOutput: Float64Array,
  gradInput: Float64Array,
): void {
  let total = 0;
  for (const [i, v] of y.entries()) total += v * (gradOutput[i] ?? NaN);
  for (const [i, v] of y.entries()) gradInput[i] = v * ((gradOutput[i] ?? NaN) - total);
}

/** Magnitudes of the largest terms of both; x - peak is rounded, and the exponential multiplies that. */
export const softmaxTerm = {
  forward: (x: Float64Array, term: Float64Array): void => {
    const peak = x.reduce((a, b) => Math.max(a, b), -Infinity);
    softmaxOf(x, term);
    for (const [i, v] of x.entries()) term[i] = (term[i] ?? NaN) * Math.max(1, peak - v);
  },
  backward: (y: Float64Array, gradOutput: Float64Array, term: Float64Array): void => {
    const peak = y.reduce((a, b) => Math.max(a, b), 0);
    const total = y.reduce((sum, v, i) => sum + v * (gradOutput[i] ?? NaN), 0);
    for (const [i, v] of y.entries()) {
      const largest = v * Math.max(Math.abs(gradOutput[i] ?? NaN), Math.abs(total));
      term[i] = v === 0 ? 0 : largest * Math.max(1, Math.log(peak / v));
    }
  },
};

/** Binary cross-entropy of a logit x against t, positive targets weighted by w: (1 - t) x + (1 + (w - 1) t) ln(1 + e^-x). */
export function bceOf(x: number, t: number, w: number): number {
  // PyTorch's formula is NaN there; this one is not.
  if (x === -Infinity) return NaN;
  const line = x < 0 ? -w * t * x : (1 - t) * x;
  return line + bceShare(t, w) * softplusOf(-Math.abs(x));
}

/** 1 + (w - 1) t; 1 for w = 1 whatever t is. */
export function bceShare(t: number, w: number): number {
  return w === 1 ? 1 : 1 + (w - 1) * t;
}

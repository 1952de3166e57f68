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

/** The largest of a row; NaN if it holds one. */
export function peakOf(x: Float64Array): number {
  let peak = -Infinity;
  for (let i = 0; i < x.length; i++) peak = Math.max(peak, x[i] ?? NaN);
  return peak;
}

/** A row's softmax. */
export function softmaxOf(x: Float64Array, y: Float64Array): void {
  const peak = peakOf(x);
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += y[i] = Math.exp((x[i] ?? NaN) - peak);
  for (let i = 0; i < y.length; i++) y[i] = (y[i] ?? NaN) / sum;
}

/** A row's log-softmax; `y` may be `x`. */
export function logSoftmaxOf(x: Float64Array, y: Float64Array): void {
  const peak = peakOf(x);
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += Math.exp((x[i] ?? NaN) - peak);
  const logSum = Math.log(sum);
  for (let i = 0; i < x.length; i++) y[i] = (x[i] ?? NaN) - peak - logSum;
}

/** Softmax's gradient, from the result. */
export function softmaxGrad(
  y: Float64Array,
  gradOutput: Float64Array,
  gradInput: Float64Array,
): void {
  let total = 0;
  for (let i = 0; i < y.length; i++) total += (y[i] ?? NaN) * (gradOutput[i] ?? NaN);
  for (let i = 0; i < y.length; i++) {
    gradInput[i] = (y[i] ?? NaN) * ((gradOutput[i] ?? NaN) - total);
  }
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

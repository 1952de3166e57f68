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

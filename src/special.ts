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

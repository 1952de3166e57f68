// Functions in float64 that more than one op needs, each accurate (in relative terms) also where its values are tiny.

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
  // Where logistic(v) is 0, its product with anything finite is 0 too.
  return logistic(v) * (1 + slope * logistic(-v));
}

/** The larger of the two terms of `gateSlope`. */
export function gateTerm(v: number, slope: number): number {
  return logistic(v) * Math.max(1, Math.abs(slope) * logistic(-v));
}

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

/** -(1 - l) ln σ(z) - l ln σ(-z): the loss of a preference with the logit z, where a share l of the labels is wrong. */
export function preferenceOf(z: number, l: number): number {
  return softplusOf(-Math.abs(z)) + (z < 0 ? (l - 1) * z : l === 0 ? 0 : l * z);
}

/** Its derivative. */
export function preferenceGrad(z: number, l: number): number {
  return l * logistic(z) - (1 - l) * logistic(-z);
}

/** e^k - k - 1 without cancellation near 0. */
export function expRest(k: number): number {
  // Infinity less infinity would be NaN.
  if (k === Infinity) return k;
  if (Math.abs(k) > 0.1) return Math.expm1(k) - k;
  let [term, total] = [(k * k) / 2, 0];
  for (let n = 3; n < 14; n++) {
    total += term;
    term *= k / n;
  }
  return total;
}

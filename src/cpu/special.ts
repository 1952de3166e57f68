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

/** The largest of a row; NaN if it holds one. */
export function maxOf(x: Float64Array): number {
  let max = -Infinity;
  for (let i = 0; i < x.length; i++) max = Math.max(max, x[i] ?? NaN);
  return max;
}

/** A row's softmax. */
export function softmaxOf(x: Float64Array, y: Float64Array): void {
  const max = maxOf(x);
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += y[i] = Math.exp((x[i] ?? NaN) - max);
  for (let i = 0; i < y.length; i++) y[i] = (y[i] ?? NaN) / sum;
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

/** Magnitudes of the largest terms that each element of the gradient is a sum of, the sum over the row being one. */
export function softmaxGradTerm(
  y: Float64Array,
  gradOutput: Float64Array,
  term: Float64Array,
): void {
  let total = 0;
  let largest = 0;
  for (let i = 0; i < y.length; i++) {
    const product = (y[i] ?? NaN) * (gradOutput[i] ?? NaN);
    total += product;
    largest = Math.max(largest, Math.abs(product));
  }
  for (let i = 0; i < y.length; i++) {
    term[i] = (y[i] ?? NaN) * Math.max(Math.abs(gradOutput[i] ?? NaN), Math.abs(total), largest);
  }
}

/**
 * A row's log-softmax: (x - max) - log1p(sum over all but one element at the max of e^(x - max)), relatively exact also
 * where one element outweighs all others.
 */
export function logSoftmaxOf(x: Float64Array, y: Float64Array): void {
  const max = maxOf(x);
  // NaN where the max is infinite.
  let sumOthers = max - max;
  let excluded = false;
  for (let i = 0; i < x.length; i++) {
    const v = x[i] ?? NaN;
    if (v === max && !excluded) excluded = true;
    else sumOthers += Math.exp(v - max);
  }
  const logSum = Math.log1p(sumOthers);
  for (let i = 0; i < x.length; i++) y[i] = (x[i] ?? NaN) - max - logSum;
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

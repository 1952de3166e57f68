// Arrays of numbers on the CPU: their elements, sums, and the softmax of a row in float64.
//
// For the type checker `values[i]` may be undefined wherever the index comes from. `at` and what is built on it say once that
// an element which is not there is NaN. Only loops that do little else than read keep `values[i] ?? NaN`.
import type { NumericArray } from '../core/dtype.ts';

export function at(values: NumericArray, i: number): number {
  return values[i] ?? NaN;
}

/** An element of an operand that a call may leave out, which `absent` then stands for. */
export function atOr(values: NumericArray | undefined, i: number, absent: number): number {
  return values ? at(values, i) : absent;
}

/** values[i] += more. */
export function addTo(values: NumericArray, i: number, more: number): void {
  values[i] = at(values, i) + more;
}

/** a · b, element by element. */
export function product(a: Float64Array, b: Float64Array): Float64Array {
  const result = new Float64Array(a.length);
  for (let i = 0; i < a.length; i++) result[i] = at(a, i) * at(b, i);
  return result;
}

/** to += more, element by element. */
export function addAll(to: Float64Array, more: Float64Array): void {
  for (let i = 0; i < to.length; i++) addTo(to, i, at(more, i));
}

export function meanOf(x: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += at(x, i);
  return sum / x.length;
}

/** The largest of a row; NaN if it holds one. */
export function maxOf(x: Float64Array): number {
  let max = -Infinity;
  for (let i = 0; i < x.length; i++) max = Math.max(max, at(x, i));
  return max;
}

/** A row's softmax. */
export function softmaxOf(x: Float64Array, y: Float64Array): void {
  const max = maxOf(x);
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += y[i] = Math.exp(at(x, i) - max);
  for (let i = 0; i < y.length; i++) y[i] = at(y, i) / sum;
}

/** Softmax's gradient, from the result. */
export function softmaxGrad(
  y: Float64Array,
  gradOutput: Float64Array,
  gradInput: Float64Array,
): void {
  let total = 0;
  for (let i = 0; i < y.length; i++) total += at(y, i) * at(gradOutput, i);
  for (let i = 0; i < y.length; i++) {
    gradInput[i] = at(y, i) * (at(gradOutput, i) - total);
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
    const product = at(y, i) * at(gradOutput, i);
    total += product;
    largest = Math.max(largest, Math.abs(product));
  }
  for (let i = 0; i < y.length; i++) {
    term[i] = at(y, i) * Math.max(Math.abs(at(gradOutput, i)), Math.abs(total), largest);
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
    const v = at(x, i);
    if (v === max && !excluded) excluded = true;
    else sumOthers += Math.exp(v - max);
  }
  const logSum = Math.log1p(sumOthers);
  for (let i = 0; i < x.length; i++) y[i] = at(x, i) - max - logSum;
}

/** Copies a row out of a tensor. */
export function gather(
  from: NumericArray,
  base: number,
  step: number,
  to: Float64Array | undefined,
): void {
  if (to) for (let i = 0; i < to.length; i++) to[i] = from[base + i * step] ?? NaN;
}

// Takes logits and tau of gumbelSoftmax, and gives its noise made repeatable, and the terms its errors are counted in.
import { manualSeed } from '../../src/index.ts';
import { nextKey, openUniformAt } from '../../src/core/random.ts';
import type { Terms } from './sweep.ts';

const SEED = 7;

/** So that every device, and `gumbelTerms`, draws the same noise in the next call. */
export const fixNoise = (): void => {
  manualSeed(SEED);
};

/**
 * e^a is as far off, relatively, as a = (x + G) / tau is absolutely, and a is a rounded sum: by an ULP of it or of G. So
 * an element's error is counted in ULP of itself times |x + G| / tau, |G| / tau or 1, whichever is the largest; in the
 * gradient likewise. Through the sum, each element has its share of the others' errors.
 */
export function gumbelTerms(
  x: Float32Array | Float64Array,
  n: number,
  tau: number,
  { out: y, gradOutput }: { out: Float64Array; gradOutput: Float32Array | Float64Array },
): Required<Terms> {
  fixNoise();
  const key = nextKey();
  const scale = Float64Array.from<number>(x, (v, i) => {
    const noise = -Math.log(-Math.log(openUniformAt(key, i)));
    return y[i] === 0 ? 1 : Math.max(1, Math.abs(v + noise) / tau, Math.abs(noise) / tau);
  });
  const terms = { forward: new Float64Array(x.length), backward: new Float64Array(x.length) };
  for (let first = 0; first < x.length; first += n) {
    const row = Array.from({ length: n }, (_, i) => first + i);
    const sum = (f: (i: number) => number): number => row.reduce((total, i) => total + f(i), 0);
    const shared = sum((i) => (y[i] ?? NaN) * (scale[i] ?? NaN));
    const total = sum((i) => (y[i] ?? NaN) * (gradOutput[i] ?? NaN));
    for (const i of row) {
      const term = (y[i] ?? NaN) * Math.max(scale[i] ?? NaN, shared);
      terms.forward[i] = term;
      terms.backward[i] = (term * Math.max(Math.abs(gradOutput[i] ?? NaN), Math.abs(total))) / tau;
    }
  }
  return terms;
}

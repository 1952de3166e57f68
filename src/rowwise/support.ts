// What ops share whose results are 0 outside of a support (sparsemax, entmax15): the largest elements in float64, and gradients.
import { at } from '../cpu/rows.ts';
import type { RowwiseDeclaration } from '../define/rowwise.ts';

type Weight = (y: number) => number;

/** A row's largest element, and the others less it in falling order; NaN for a row without a result. */
export function fallingOf(x: Float64Array): { max: number; falling: Float64Array } {
  const sorted = Float64Array.from(x).sort().reverse();
  const [first = NaN] = sorted;
  const max = x.some((v) => Number.isNaN(v)) ? NaN : first;
  return { max, falling: sorted.map((v) => v - max) };
}

/** The sums of the weights of the support, of the upstream gradients times these, and the largest of the latter. */
function sumsOf(y: Float64Array, gradOutput: Float64Array, weightOf: Weight) {
  let [weights, products, largest] = [0, 0, 0];
  for (const [i, v] of y.entries()) {
    if (!(v > 0)) continue;
    const product = weightOf(v) * at(gradOutput, i);
    weights += weightOf(v);
    products += product;
    largest = Math.max(largest, Math.abs(product));
  }
  return { weights, products, largest };
}

/** The gradient w (g - Σ w g / Σ w) with the weight w of a result above 0, else 0. */
export function supportGradient(weightOf: Weight): RowwiseDeclaration['backward'] {
  return (y, gradOutput, gradInput) => {
    const { weights, products } = sumsOf(y, gradOutput, weightOf);
    for (const [i, v] of y.entries()) {
      gradInput[i] = v > 0 ? weightOf(v) * (at(gradOutput, i) - products / weights) : 0 * v;
    }
  };
}

/** The largest term of that, where a weight is rounded as the largest one is. */
export function supportTerms(weightOf: Weight) {
  return (y: Float64Array, gradOutput: Float64Array, term: Float64Array): void => {
    const { weights, products, largest } = sumsOf(y, gradOutput, weightOf);
    const most = weightOf(y.reduce((m, v) => Math.max(m, v), 0));
    const shared = Math.max(Math.abs(products), largest) / weights;
    for (const [i, v] of y.entries()) {
      term[i] = v > 0 ? most * Math.max(Math.abs(at(gradOutput, i)), shared) : 0;
    }
  };
}

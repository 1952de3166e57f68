import wgsl from '../../shaders/rowwise/sparsemax.wgsl?raw';
import { functionModule } from '../define/module.ts';
import { declareRowwise, defineRowwise } from '../define/rowwise.ts';
import { rowScan } from '../kernels/rowwise/scan.ts';
import { support } from '../shader/lib.ts';
import { fallingOf, supportGradient, supportTerms } from './support.ts';

/** A row's largest element and tau, relative to it; NaN for a row without a result. */
function thresholdOf(x: Float64Array): { max: number; tau: number } {
  const { max, falling } = fallingOf(x);
  // The largest prefix that stays above its own tau.
  let sum = 0;
  let tau = NaN;
  for (const [j, v] of falling.entries()) {
    sum += v;
    if (1 + (j + 1) * v > sum) tau = (sum - 1) / (j + 1);
  }
  return { max, tau };
}

const declaration = /* @__PURE__ */ declareRowwise({
  name: 'sparsemax',
  wgsl,
  includes: [support],
  kernel: rowScan,
  forward: (x, y) => {
    const { max, tau } = thresholdOf(x);
    for (const [i, v] of x.entries()) y[i] = Number.isNaN(tau) ? NaN : Math.max(v - max - tau, 0);
  },
  backward: /* @__PURE__ */ supportGradient(() => 1),
  largestTerm: {
    forward: (x, term) => {
      const { max, tau } = thresholdOf(x);
      for (const [i, v] of x.entries()) term[i] = v - max > tau ? Math.abs(tau) : 0;
    },
    backward: /* @__PURE__ */ supportTerms(() => 1),
  },
  accuracy: { forward: 6, backward: 8 },
  docs: {
    tex: String.raw`\max(x_i - \tau, 0), \quad \sum_j \max(x_j - \tau, 0) = 1`,
    derivative: String.raw`\partial y_i / \partial x_j = \delta_{ij} - 1 / |S| \text{ for } i, j \in S, \text{otherwise} 0, \quad S = \{i : y_i > 0\}`,
    range: String.raw`[0, 1]`,
    cite: 'Martins & Astudillo 2016, From Softmax to Sparsemax',
    kinks: 'an element exactly at tau counts as outside the support',
    use: 'For attention or mixture weights of which most should be exactly 0. Elements that are 0 get no gradient.',
  },
});
export default declaration;

/**
 * The point of the probability simplex nearest to a row along `dim`: max(x - tau, 0), with tau such that it sums to 1, so
 * that small elements become exactly 0. A row that holds NaN or +Inf, or only -Inf, is NaN throughout.
 *
 * @example sparsemax(x, { dim: 1 })
 */
export const sparsemax = /* @__PURE__ */ defineRowwise(declaration);

/** `sparsemax` as a module. */
export class Sparsemax extends /* @__PURE__ */ functionModule(sparsemax) {}

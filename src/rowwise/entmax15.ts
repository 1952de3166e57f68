import wgsl from '../../shaders/rowwise/entmax15.wgsl?raw';
import { at } from '../cpu/rows.ts';
import { optionalModule } from '../define/module.ts';
import { declareRowwise, defineRowwise } from '../define/rowwise.ts';
import { rowScan } from '../kernels/rowwise/scan.ts';
import { div, sqrt } from '../shader/lib.ts';

/** A row's largest element, and tau on the scale of (x - max) / 2; NaN for a row without a result. */
function thresholdOf(x: Float64Array): { max: number; tau: number } {
  if (x.some((v) => Number.isNaN(v))) return { max: NaN, tau: NaN };
  const sorted = Float64Array.from(x).sort().reverse();
  const [max = NaN] = sorted;
  // The largest prefix that stays above its own tau.
  let mean = 0;
  let squares = 0;
  let tau = NaN;
  for (const [j, v] of sorted.entries()) {
    const z = (v - max) / 2;
    if (!(z > -1)) break;
    const d = z - mean;
    mean += d / (j + 1);
    squares += d * (z - mean);
    const own = mean - Math.sqrt(Math.max(0, (1 - squares) / (j + 1)));
    if (own <= z) tau = own;
  }
  return { max, tau };
}

const declaration = /* @__PURE__ */ declareRowwise({
  name: 'entmax15',
  wgsl,
  includes: [div, sqrt],
  kernel: rowScan,
  dim: -1,
  forward: (x, y) => {
    const { max, tau } = thresholdOf(x);
    for (const [i, v] of x.entries()) {
      y[i] = Number.isNaN(tau) ? NaN : Math.max((v - max) / 2 - tau, 0) ** 2;
    }
  },
  backward: (y, gradOutput, gradInput) => {
    let roots = 0;
    let products = 0;
    for (const [i, v] of y.entries()) {
      if (!(v > 0)) continue;
      roots += Math.sqrt(v);
      products += Math.sqrt(v) * at(gradOutput, i);
    }
    for (const [i, v] of y.entries()) {
      gradInput[i] = v > 0 ? Math.sqrt(v) * (at(gradOutput, i) - products / roots) : 0 * v;
    }
  },
  largestTerm: {
    forward: (x, term) => {
      const { max, tau } = thresholdOf(x);
      // Of the square of a difference: its two terms times the difference.
      for (const [i, v] of x.entries()) {
        const d = (v - max) / 2 - tau;
        term[i] = d > 0 ? 2 * d * Math.abs(tau) : 0;
      }
    },
    backward: (y, gradOutput, term) => {
      let roots = 0;
      let products = 0;
      let largest = 0;
      // The root of the largest result is -tau, and roots are differences from tau.
      let tau = 0;
      for (const [i, v] of y.entries()) {
        if (!(v > 0)) continue;
        tau = Math.max(tau, Math.sqrt(v));
        const product = Math.sqrt(v) * at(gradOutput, i);
        roots += Math.sqrt(v);
        products += product;
        largest = Math.max(largest, Math.abs(product));
      }
      const shared = Math.max(Math.abs(products), largest) / roots;
      for (const [i, v] of y.entries()) {
        term[i] = v > 0 ? tau * Math.max(Math.abs(at(gradOutput, i)), shared) : 0;
      }
    },
  },
  accuracy: { forward: 6, backward: 8 },
  docs: {
    tex: String.raw`\max(z_i - \tau, 0)^2, \quad \sum_j \max(z_j - \tau, 0)^2 = 1, \quad z = \tfrac{x}{2}`,
    derivative: String.raw`\partial y_i / \partial x_j = r_i \delta_{ij} - r_i r_j / \sum_k r_k, \quad r = \sqrt{y}`,
    range: String.raw`[0, 1]`,
    cite: 'Peters, Niculae & Martins 2019, Sparse Sequence-to-Sequence Models',
    use: 'For attention or class probabilities of which many should be exactly 0. Unlike sparsemax, its gradient does not jump where an element becomes 0, which makes it easier to train.',
  },
});
export default declaration;

/**
 * The 1.5-entmax along `dim` (default -1): max(z - tau, 0)² with z = (x - max) / 2 and tau such that it sums to 1. Between softmax
 * and sparsemax: small elements become exactly 0, and others bend smoothly. A row that holds NaN or +Inf, or only -Inf, is NaN
 * throughout. Not in PyTorch.
 *
 * @example entmax15(scores, { dim: -1 })
 */
export const entmax15 = /* @__PURE__ */ defineRowwise(declaration);

/** `entmax15` as a module. */
export class Entmax15 extends /* @__PURE__ */ optionalModule(entmax15) {}

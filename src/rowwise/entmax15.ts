import wgsl from '../../shaders/rowwise/entmax15.wgsl?raw';
import { optionalModule } from '../define/module.ts';
import { declareRowwise, defineRowwise } from '../define/rowwise.ts';
import { rowScan } from '../kernels/rowwise/scan.ts';
import { sqrt, support } from '../shader/lib.ts';
import { fallingOf, supportGradient, supportTerms } from './support.ts';

/** A row's largest element, and tau on the scale of (x - max) / 2; NaN for a row without a result. */
function thresholdOf(x: Float64Array): { max: number; tau: number } {
  const { max, falling } = fallingOf(x);
  // The largest prefix that stays above its own tau.
  let [mean, squares, tau] = [0, 0, NaN];
  for (const [j, v] of falling.entries()) {
    const z = v / 2;
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
  includes: [sqrt, support],
  kernel: rowScan,
  dim: -1,
  forward: (x, y) => {
    const { max, tau } = thresholdOf(x);
    for (const [i, v] of x.entries()) {
      y[i] = Number.isNaN(tau) ? NaN : Math.max((v - max) / 2 - tau, 0) ** 2;
    }
  },
  backward: /* @__PURE__ */ supportGradient(Math.sqrt),
  largestTerm: {
    forward: (x, term) => {
      const { max, tau } = thresholdOf(x);
      // Of the square of a difference: its two terms times the difference.
      for (const [i, v] of x.entries()) {
        const d = (v - max) / 2 - tau;
        term[i] = d > 0 ? 2 * d * Math.abs(tau) : 0;
      }
    },
    // The root of the largest result is -tau, and roots are differences from tau.
    backward: /* @__PURE__ */ supportTerms(Math.sqrt),
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

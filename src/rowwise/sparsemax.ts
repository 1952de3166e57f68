import wgsl from '../../shaders/rowwise/sparsemax.wgsl?raw';
import { functionModule } from '../define/module.ts';
import { defineRowwise } from '../define/rowwise.ts';
import { rowScan } from '../kernels/rowwise.ts';

/**
 * The point of the probability simplex nearest to a row along `dim`: max(x - tau, 0), with tau such that it sums to 1, so
 * that small elements become exactly 0. A row that holds NaN or +Inf, or only -Inf, is NaN throughout.
 */
export const sparsemax = /* @__PURE__ */ defineRowwise({
  name: 'sparsemax',
  wgsl,
  kernel: rowScan,
  forward: (x, y) => {
    const sorted = Float64Array.from(x).sort().reverse();
    const [peak = NaN] = sorted;
    // The largest prefix that stays above its own tau.
    let sum = 0;
    let tau = NaN;
    for (const [j, v] of sorted.entries()) {
      sum += v - peak;
      if (1 + (j + 1) * (v - peak) > sum) tau = (sum - 1) / (j + 1);
    }
    const bad = x.some((v) => Number.isNaN(v));
    for (const [i, v] of x.entries()) y[i] = bad ? NaN : Math.max(v - peak - tau, 0);
  },
  backward: (y, gradOutput, gradInput) => {
    let total = 0;
    let count = 0;
    for (const [i, v] of y.entries()) {
      if (!(v > 0)) continue;
      total += gradOutput[i] ?? NaN;
      count++;
    }
    for (const [i, v] of y.entries()) {
      gradInput[i] = v > 0 ? (gradOutput[i] ?? NaN) - total / count : 0 * v;
    }
  },
  largestTerm: {
    // Elements of the support, and tau, are within 1 of the maximum.
    forward: (_x, term) => {
      term.fill(1);
    },
    backward: (y, gradOutput, term) => {
      term.fill(
        gradOutput.reduce(
          (most, g, i) => ((y[i] ?? 0) > 0 ? Math.max(most, Math.abs(g)) : most),
          0,
        ),
      );
    },
  },
  accuracy: { forward: 6, backward: 8 },
  docs: {
    tex: String.raw`\max(x_i - \tau, 0), \quad \sum_j \max(x_j - \tau, 0) = 1`,
    torch: null,
    cite: 'Martins & Astudillo 2016, From Softmax to Sparsemax',
    kinks: 'elements at tau count as outside the support',
    use: 'Attention or mixture weights that should be exactly 0 for most elements. What is outside the support gets no gradient.',
  },
});

/** `sparsemax` as a module. */
export class Sparsemax extends /* @__PURE__ */ functionModule(sparsemax) {}

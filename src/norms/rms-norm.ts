import wgsl from '../../shaders/norms/rms-norm.wgsl?raw';
import { defineNorm } from '../define/norm.ts';
import { normModule } from '../define/norm-module.ts';
import { sqrt } from '../shader/lib.ts';

/**
 * x / sqrt(mean of x² + eps) · weight over the last dimensions, which `normalizedShape` names. A row that holds NaN is NaN
 * throughout; beside an infinity finite elements become 0.
 */
export const rmsNorm = /* @__PURE__ */ defineNorm({
  name: 'rmsNorm',
  wgsl,
  includes: [sqrt],
  operands: { weight: { absent: 1, saved: true } },
  degree: 2,
  // Float32's own.
  eps: 2 ** -23,
  forward: ({ x, weight }, eps, y) => {
    const factor = factorOf(x, eps);
    for (const [i, v] of x.entries()) y[i] = v * factor * (weight[i] ?? NaN);
  },
  backward: ({ x, weight }, eps, gradOutput, grads) => {
    const factor = factorOf(x, eps);
    let mean = 0;
    for (const [i, v] of x.entries()) {
      const g = gradOutput[i] ?? NaN;
      mean += (g * (weight[i] ?? NaN) * v * factor) / x.length;
      grads.weight[i] = (grads.weight[i] ?? NaN) + g * v * factor;
    }
    for (const [i, v] of x.entries()) {
      grads.x[i] = factor * ((gradOutput[i] ?? NaN) * (weight[i] ?? NaN) - v * factor * mean);
    }
  },
  accuracy: { forward: 6, backward: 12 },
  docs: {
    tex: String.raw`\frac{x_i}{\sqrt{\frac{1}{n} \sum_j x_j^2 + \epsilon}} w_i`,
    derivative: String.raw`\partial y_i / \partial x_j = r w_i \left(\delta_{ij} - \tfrac{1}{n} z_i z_j\right), \quad z = r x, \quad r = 1 / \sqrt{\tfrac{1}{n} \sum_k x_k^2 + \epsilon}`,
    range: String.raw`[-\sqrt{n} |w_i|, \sqrt{n} |w_i|]`,
    torch: 'rms_norm',
    cite: 'Zhang & Sennrich 2019, Root Mean Square Layer Normalization',
    use: 'What most language models of today put before attention and feed-forward layers: as good there as layerNorm, for less.',
  },
});

/** The factor of a row. */
function factorOf(x: Float64Array, eps: number): number {
  return 1 / Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length + eps);
}

/** `rmsNorm` as a module with a learned weight. */
export class RMSNorm extends /* @__PURE__ */ normModule('RMSNorm', rmsNorm) {}

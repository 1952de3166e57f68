import wgsl from '../../shaders/norms/rms-norm.wgsl?raw';
import { addAll, at, meanOf, product } from '../cpu/rows.ts';
import { addNorm } from '../define/add-norm.ts';
import { declareNorm, defineNorm } from '../define/norm.ts';
import { normModule } from '../define/norm-module.ts';
import { sqrt } from '../shader/lib.ts';

const declaration = /* @__PURE__ */ declareNorm({
  name: 'rmsNorm',
  wgsl,
  includes: [sqrt],
  operands: { weight: { absent: 1, saved: true } },
  degree: 2,
  // Float32's own.
  eps: 2 ** -23,
  forward: ({ x, weight }, eps, y) => {
    const factor = factorOf(x, eps);
    y.set(
      product(
        x.map((v) => v * factor),
        weight,
      ),
    );
  },
  backward: ({ x, weight }, eps, gradOutput, grads) => {
    const factor = factorOf(x, eps);
    const z = x.map((v) => v * factor);
    const slope = product(gradOutput, weight);
    const mean = meanOf(product(slope, z));
    grads.x.set(slope.map((s, i) => factor * (s - at(z, i) * mean)));
    addAll(grads.weight, product(gradOutput, z));
  },
  accuracy: { forward: 6, backward: 12 },
  docs: {
    tex: String.raw`\frac{x_i}{\sqrt{\frac{1}{n} \sum_j x_j^2 + \epsilon}} w_i`,
    derivative: String.raw`\partial y_i / \partial x_j = r w_i \left(\delta_{ij} - \tfrac{1}{n} z_i z_j\right), \quad z = r x, \quad r = 1 / \sqrt{\tfrac{1}{n} \sum_k x_k^2 + \epsilon}`,
    range: String.raw`[-\sqrt{n} |w_i|, \sqrt{n} |w_i|]`,
    torch: 'rms_norm',
    cite: 'Zhang & Sennrich 2019, Root Mean Square Layer Normalization',
    use: 'Most language models of today put it before attention and before feed-forward layers. There it is as good as layerNorm, and it is cheaper.',
  },
});
export default declaration;

/**
 * x / sqrt(mean of x² + eps) · weight over the last dimensions, which `normalizedShape` names. A row that holds NaN is NaN
 * throughout; beside an infinity finite elements become 0.
 *
 * @example rmsNorm(x, [512], { weight })
 */
export const rmsNorm = /* @__PURE__ */ defineNorm(declaration);

/** The factor of a row. */
function factorOf(x: Float64Array, eps: number): number {
  return 1 / Math.sqrt(meanOf(product(x, x)) + eps);
}

/** `rmsNorm` as a module with a learned weight. */
export class RMSNorm extends /* @__PURE__ */ normModule('RMSNorm', rmsNorm) {}

/**
 * `{ output, sum }`: sum = x + residual, of one shape, and output = rmsNorm(sum), in one kernel. Both may have gradients. The same bits
 * as an addition and `rmsNorm`.
 *
 * @example const { output, sum } = addRmsNorm(x, residual, [4096], { weight })
 */
export const addRmsNorm = /* @__PURE__ */ addNorm('addRmsNorm', rmsNorm);

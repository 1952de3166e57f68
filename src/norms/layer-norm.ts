import wgsl from '../../shaders/norms/layer-norm.wgsl?raw';
import { addNorm } from '../define/add-norm.ts';
import { declareNorm, defineNorm } from '../define/norm.ts';
import { normModule } from '../define/norm-module.ts';
import { sqrt } from '../shader/lib.ts';
import { backward, forward } from './standardise.ts';

const declaration = /* @__PURE__ */ declareNorm({
  name: 'layerNorm',
  wgsl,
  includes: [sqrt],
  operands: { weight: { absent: 1, saved: true }, bias: { absent: 0, saved: false } },
  degree: 2,
  eps: 1e-5,
  forward,
  backward,
  accuracy: { forward: 8, backward: 12 },
  docs: {
    tex: String.raw`\frac{x_i - \mu}{\sqrt{\sigma^2 + \epsilon}} w_i + b_i`,
    derivative: String.raw`\partial y_i / \partial x_j = r w_i \left(\delta_{ij} - \tfrac{1}{n} - \tfrac{1}{n} z_i z_j\right), \quad z = r (x - \mu), \quad r = 1 / \sqrt{\sigma^2 + \epsilon}`,
    range: String.raw`[b_i - \sqrt{n} |w_i|, b_i + \sqrt{n} |w_i|]`,
    torch: 'layer_norm',
    cite: 'Ba, Kiros & Hinton 2016, Layer Normalization',
    use: 'For transformers and recurrent networks. It keeps the size of the activations stable, and does not depend on the batch.',
  },
});
export default declaration;

/**
 * (x - mean) / sqrt(variance + eps) · weight + bias over the last dimensions, which `normalizedShape` names; the variance is
 * the mean of squared deviations. Exact to float32 where a row is far from 0. A row that holds NaN or an infinity is NaN
 * throughout.
 *
 * @example layerNorm(x, [512], { weight, bias })
 */
export const layerNorm = /* @__PURE__ */ defineNorm(declaration);

/** `layerNorm` as a module with a learned weight and, unless `bias` is false, a learned bias. */
export class LayerNorm
  extends /* @__PURE__ */ normModule<
    'weight' | 'bias',
    {
      /** Whether there is a learned bias beside the weight. Defaults to true. */
      bias?: boolean;
    }
  >('LayerNorm', layerNorm, ['bias']) {}

/**
 * `{ output, sum }`: sum = x + residual, of one shape, and output = layerNorm(sum), in one kernel. Both may have gradients. The same bits
 * as an addition and `layerNorm`.
 *
 * @example const { output, sum } = addLayerNorm(x, residual, [768], { weight, bias })
 */
export const addLayerNorm = /* @__PURE__ */ addNorm('addLayerNorm', layerNorm);

import ceText from '../../shaders/losses/cross-entropy.wgsl?raw';
import marginText from '../../shaders/losses/margin.wgsl?raw';
import wgsl from '../../shaders/losses/cos-face.wgsl?raw';
import { COSINES, declareClassLoss, defineClassLoss } from '../define/class-loss.ts';
import { lossModule } from '../define/module.ts';
import { source } from '../shader/link.ts';

const declaration = /* @__PURE__ */ declareClassLoss({
  name: 'cosFaceLoss',
  wgsl,
  includes: [
    /* @__PURE__ */ source('losses/cross-entropy.wgsl', ceText),
    /* @__PURE__ */ source('losses/margin.wgsl', marginText),
  ],
  params: {
    /** What cosines are multiplied by; above 0. */
    s: { default: 64, min: 0, above: true },
    /** The margin, which the target's cosine is less. */
    m: 0.4,
  },
  normalised: true,
  soft: false,
  margin: { score: (c, { m = NaN }) => c - m, slope: () => 1 },
  loss: (l) => -l,
  grad: () => -1,
  accuracy: { forward: 8, backward: 8 },
  docs: {
    tex: String.raw`-w_y \log \frac{e^{s (x_y - m)}}{e^{s (x_y - m)} + \sum_{c \ne y} e^{s x_c}}`,
    derivative: String.raw`w_y s (p_c - \delta_{cy})`,
    range: String.raw`[0, \infty)`,
    shapes: COSINES,
    cite: 'Wang et al. 2018, CosFace: Large Margin Cosine Loss for Deep Face Recognition',
    use: 'For embeddings that are compared by cosine (faces, speakers, products), with many classes and few examples of each. It takes cosines, not logits. Training does not converge if the margin is too large, or if the scale is too small for the number of classes.',
  },
});
export default declaration;

/**
 * CosFace loss of cosines [N, C, d1, …] (of embeddings and class centres, both normalised) and class indices: cross-entropy of s
 * times the cosines, that of the target class less a margin m. Options: `s` (64, above 0), `m` (0.4), `weight`, `ignoreIndex`
 * (-100), `reduction` ('mean'). s times a cosine must be a float32.
 *
 * @example cosFaceLoss(linear(normalize(x), normalize(centres)), classes)
 */
export const cosFaceLoss = /* @__PURE__ */ defineClassLoss(declaration);

/** `cosFaceLoss` as a module. */
export class CosFaceLoss extends /* @__PURE__ */ lossModule(cosFaceLoss) {}

import wgsl from '../../shaders/losses/generalized-cross-entropy.wgsl?raw';
import { CLASSES, declareClassLoss, defineClassLoss } from '../define/class-loss.ts';
import { lossModule } from '../define/module.ts';
import { div, exp, expm1 } from '../shader/lib.ts';

const declaration = /* @__PURE__ */ declareClassLoss({
  name: 'generalizedCrossEntropy',
  wgsl,
  includes: [div, exp, expm1],
  params: {
    /** From near 0, cross-entropy, to 1, the absolute error. */
    q: { default: 0.7, min: 0, above: true, max: 1 },
  },
  normalised: true,
  soft: false,
  loss: (l, { q }) => -Math.expm1(q * l) / q,
  grad: (l, { q }) => -Math.exp(q * l),
  accuracy: { forward: 8, backward: 8 },
  docs: {
    tex: String.raw`w_y \frac{1 - p_y^q}{q}`,
    derivative: String.raw`w_y p_y^q (p_c - \delta_{cy})`,
    range: String.raw`[0, 1 / q)`,
    shapes: CLASSES,
    cite: 'Zhang & Sabuncu 2018, Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels',
    use: 'For noisy labels: an example that the model finds unlikely has a bounded loss and a small gradient. For the same reason it learns slowly at the start, and more slowly with a larger q or more classes.',
  },
});
export default declaration;

/**
 * Generalised cross-entropy of logits [N, C, d1, …] and class indices: (1 - p^q) / q, where p is the probability of the target
 * class; near q = 0 cross-entropy, at q = 1 the mean absolute error. Options: `q` (0.7, above 0 and at most 1), `weight`,
 * `ignoreIndex` (-100), `reduction` ('mean').
 *
 * @example generalizedCrossEntropy(logits, classes, { q: 0.5 })
 */
export const generalizedCrossEntropy = /* @__PURE__ */ defineClassLoss(declaration);

/** `generalizedCrossEntropy` as a module. */
export class GeneralizedCrossEntropyLoss
  extends /* @__PURE__ */ lossModule(generalizedCrossEntropy) {}

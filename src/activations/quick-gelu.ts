import wgsl from '../../shaders/activations/quick-gelu.wgsl?raw';
import { declareActivation, defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';
import { bits, div, sigmoid } from '../shader/lib.ts';
import { gateTerm, logistic } from '../cpu/special.ts';

const declaration = /* @__PURE__ */ declareActivation({
  name: 'quickGelu',
  wgsl,
  includes: [bits, div, sigmoid],
  forward: (x) => x * logistic(1.702 * x),
  // Two terms, as PyTorch would have it: Inf - Inf for an infinite gradOutput, 0 Inf for an infinite x.
  backward: (x, gradOutput) => {
    const gate = logistic(1.702 * x);
    return gradOutput * gate + gradOutput * x * (1.702 * gate * logistic(-1.702 * x));
  },
  largestTerm: (x) => gateTerm(1.702 * x, 1.702 * x),
  accuracy: { forward: 3, backward: 4 },
  docs: {
    tex: String.raw`x \cdot \sigma(1.702 x)`,
    derivative: String.raw`\sigma(v) + v \sigma(v) \sigma(-v), \quad v = 1.702 x`,
    range: String.raw`[-0.16, \infty)`,
    cite: 'Hendrycks & Gimpel 2016, Gaussian Error Linear Units; Radford et al. 2021 (CLIP)',
    use: 'For models that were trained with it, such as CLIP. In a new model use gelu, from which it differs by up to 0.02.',
  },
});
export default declaration;

/**
 * gelu by a sigmoid: x · sigmoid(1.702 x). Not in PyTorch; of OpenAI’s CLIP.
 *
 * @example quickGelu(x)
 */
export const quickGelu = /* @__PURE__ */ defineActivation(declaration);

/** `quickGelu` as a module. */
export class QuickGELU extends /* @__PURE__ */ activationModule(quickGelu) {}

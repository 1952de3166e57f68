import wgsl from '../../shaders/activations/silu.wgsl?raw';
import { declareActivation, defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';
import { bits, sigmoid } from '../shader/lib.ts';
import { gateSlope, gateTerm, logistic } from '../cpu/special.ts';

const declaration = /* @__PURE__ */ declareActivation({
  name: 'silu',
  wgsl,
  includes: [bits, sigmoid],
  forward: (x) => x * logistic(x),
  backward: (x, gradOutput) => gradOutput * gateSlope(x, x),
  largestTerm: (x) => gateTerm(x, x),
  inplace: () => false,
  accuracy: { forward: 3, backward: 4 },
  docs: {
    tex: String.raw`\frac{x}{1 + e^{-x}}`,
    derivative: String.raw`\sigma(x) (1 + x \sigma(-x))`,
    range: String.raw`[-0.28, \infty)`,
    torch: 'silu',
    cite: 'Elfwing, Uchibe & Doya 2018, Sigmoid-Weighted Linear Units; Ramachandran, Zoph & Le 2017, Searching for Activation Functions',
    use: 'A smooth relu for deep networks (EfficientNet; LLaMA uses it inside swiglu). It needs an exponential, so it costs more than relu. Below -1.28 it rises again as x falls.',
  },
});
export default declaration;

/**
 * Sigmoid-weighted linear unit (swish): x · sigmoid(x). The left tail keeps relative accuracy.
 *
 * @example silu(x)
 */
export const silu = /* @__PURE__ */ defineActivation(declaration);

/** `silu` as a module. */
export class SiLU extends /* @__PURE__ */ activationModule(silu) {}

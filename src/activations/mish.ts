import wgsl from '../../shaders/activations/mish.wgsl?raw';
import { declareActivation, defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';
import { bits, exp } from '../shader/lib.ts';
import { logistic, softplusOf } from '../cpu/special.ts';

const declaration = /* @__PURE__ */ declareActivation({
  name: 'mish',
  wgsl,
  includes: [bits, exp],
  forward: (x) => {
    const e = Math.exp(-Math.abs(x));
    return x < 0
      ? x * ((e * (e + 2)) / (e * (e + 2) + 2))
      : x * ((1 + 2 * e) / (1 + 2 * e * (1 + e)));
  },
  backward: (x, gradOutput) => {
    const e = Math.exp(-Math.abs(x));
    // Far out 0 or 1; at the infinities PyTorch's formula, and so this, is NaN.
    if (e === 0) return gradOutput * (x < 0 ? 0 : 1) + (x - x);
    const w =
      x < 0
        ? e * (4 * (x + 1) + e * (4 * x + 6 + e * (4 + e)))
        : 1 + e * (4 + e * (4 * x + 6 + 4 * e * (x + 1)));
    const d = x < 0 ? e * (e + 2) + 2 : 1 + 2 * e * (1 + e);
    return gradOutput * (w / (d * d));
  },
  largestTerm: (x) => {
    const tanh = Math.tanh(softplusOf(x));
    return Math.max(tanh, Math.abs(x) * logistic(x) * (1 - tanh * tanh));
  },
  inplace: () => false,
  accuracy: { forward: 3, backward: 4 },
  docs: {
    tex: String.raw`x \tanh(\log(1 + e^x))`,
    derivative: String.raw`\tanh(s) + x \sigma(x) (1 - \tanh^2 s), \quad s = \log(1 + e^x)`,
    range: String.raw`[-0.31, \infty)`,
    torch: 'mish',
    cite: 'Misra 2019, Mish: A Self Regularized Non-Monotonic Activation Function',
    use: 'A smooth relu for vision networks (YOLOv4). It is about as good as silu and costs more.',
  },
});
export default declaration;

/**
 * x · tanh(softplus(x)): a smooth, self-gated rectifier. The left tail keeps relative accuracy.
 *
 * @example mish(x)
 */
export const mish = /* @__PURE__ */ defineActivation(declaration);

/** `mish` as a module. */
export class Mish extends /* @__PURE__ */ activationModule(mish) {}

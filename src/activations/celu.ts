import wgsl from '../../shaders/activations/celu.wgsl?raw';
import { declareActivation, defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';
import { bits, div, exp, expm1 } from '../shader/lib.ts';

const declaration = /* @__PURE__ */ declareActivation({
  name: 'celu',
  wgsl,
  includes: [bits, div, exp, expm1],
  params: {
    /** The value far below 0 is -alpha; not 0. */
    alpha: { default: 1, nonzero: true },
  },
  forward: (x, { alpha }) => (x > 0 ? x : alpha * Math.expm1(x / alpha)),
  backward: (x, gradOutput, { alpha }) => (x > 0 ? gradOutput : gradOutput * Math.exp(x / alpha)),
  inplace: () => false,
  accuracy: { forward: 3, backward: 3 },
  docs: {
    tex: String.raw`\max(x, 0) + \min(\alpha (e^{x / \alpha} - 1), 0)`,
    derivative: String.raw`\begin{cases} 1 & x > 0 \\ e^{x / \alpha} & x \le 0 \end{cases}`,
    range: String.raw`[-\alpha, \infty)`,
    torch: 'celu',
    cite: 'Barron 2017, Continuously Differentiable Exponential Linear Units',
    use: 'An elu whose slope does not jump at 0 when alpha is not 1. With alpha 1 it is the same as elu.',
  },
});
export default declaration;

/**
 * elu with a continuous slope: x above 0, else alpha · (e^(x / alpha) - 1) (alpha 1, not 0). At 0 the gradient is 1.
 *
 * @example celu(x, { alpha: 0.5 })
 */
export const celu = /* @__PURE__ */ defineActivation(declaration);

/** `celu` as a module. */
export class CELU extends /* @__PURE__ */ activationModule(celu) {}

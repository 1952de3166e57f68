import wgsl from '../../shaders/activations/selu.wgsl?raw';
import { declareActivation, defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';
import { exp, expm1 } from '../shader/lib.ts';

const GAMMA = 1.0507009873554805;
const ALPHA = 1.6732632423543772;

const declaration = /* @__PURE__ */ declareActivation({
  name: 'selu',
  wgsl,
  includes: [exp, expm1],
  params: {
    /** The value far below 0 is -gamma alpha. */
    alpha: { default: ALPHA, unit: ALPHA, pair: true },
    /** The slope above 0. */
    gamma: { default: GAMMA, unit: GAMMA, pair: true },
  },
  forward: (x, { alpha, gamma }) => (x > 0 ? gamma * x : gamma * alpha * Math.expm1(x)),
  backward: (x, gradOutput, { alpha, gamma }) =>
    gradOutput * (x > 0 ? gamma : gamma * alpha * Math.exp(x)),
  inplace: () => false,
  accuracy: { forward: 2.5, backward: 3 },
  docs: {
    tex: String.raw`\gamma \begin{cases} x & x > 0 \\ \alpha (e^x - 1) & x \le 0 \end{cases}`,
    derivative: String.raw`\gamma \begin{cases} 1 & x > 0 \\ \alpha e^x & x \le 0 \end{cases}`,
    range: String.raw`[-\gamma \alpha, \infty)`,
    torch: 'selu',
    cite: 'Klambauer, Unterthiner, Mayr & Hochreiter 2017, Self-Normalizing Neural Networks',
    kinks: 'the gradient at x = 0 is gamma · alpha, which is 1.758 by default',
    use: 'For deep networks of linear layers without norms: it keeps mean and variance of the activations stable. This works only with LeCun initial weights and without dropout.',
  },
});
export default declaration;

/**
 * Scaled exponential linear unit: gamma x above 0, else gamma alpha (e^x - 1). By default `alpha` and `gamma` are those of the
 * paper and of PyTorch, which keep mean 0 and variance 1 through deep networks; other ones are ONNX Selu's.
 *
 * @example selu(x)
 */
export const selu = /* @__PURE__ */ defineActivation(declaration);

/** `selu` as a module. */
export class SELU extends /* @__PURE__ */ activationModule(selu) {}

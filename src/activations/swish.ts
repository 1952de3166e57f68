import wgsl from '../../shaders/activations/swish.wgsl?raw';
import { declareActivation, defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';
import { bits, div, sigmoid } from '../shader/lib.ts';
import { gateTerm, logistic } from '../cpu/special.ts';

const declaration = /* @__PURE__ */ declareActivation({
  name: 'swish',
  wgsl,
  includes: [bits, div, sigmoid],
  params: {
    /** How steep the gate is: 1 is silu. */
    beta: { default: 1, pair: true },
  },
  forward: (x, { beta }) => x * logistic(beta * x),
  // Two terms, as PyTorch would have it: Inf - Inf for an infinite gradOutput, 0 Inf for an infinite x.
  backward: (x, gradOutput, { beta }) => {
    const gate = logistic(beta * x);
    return gradOutput * gate + gradOutput * x * (beta * gate * logistic(-beta * x));
  },
  largestTerm: (x, { beta }) => gateTerm(beta * x, beta * x),
  accuracy: { forward: 3, backward: 4 },
  docs: {
    tex: String.raw`x \cdot \sigma(\beta x)`,
    derivative: String.raw`\sigma(v) + v \sigma(v) \sigma(-v), \quad v = \beta x`,
    range: String.raw`[-0.28 / \beta, \infty)`,
    cite: 'Ramachandran, Zoph & Le 2017, Searching for Activation Functions; ONNX Swish',
    use: 'A silu whose steepness you can set: the larger beta, the nearer it is to relu. With beta 1 it is silu, which is cheaper.',
  },
});
export default declaration;

/**
 * x · sigmoid(beta x), with any number as `beta` (default 1): silu at 1, quickGelu at 1.702, half of x at 0. Not in PyTorch.
 *
 * @example swish(x, { beta: 1.5 })
 */
export const swish = /* @__PURE__ */ defineActivation(declaration);

/** `swish` as a module. */
export class Swish extends /* @__PURE__ */ activationModule(swish) {}

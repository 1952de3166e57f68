import wgsl from '../../shaders/activations/softplus.wgsl?raw';
import { at } from '../cpu/rows.ts';
import { declareActivation, defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';
import { div, sigmoid as sigmoidLib, softplus as softplusLib } from '../shader/lib.ts';
import { logistic, softplusOf } from '../cpu/special.ts';

function scaledSoftplus(x: number, beta: number, threshold: number): number {
  return beta * x > threshold ? x : softplusOf(beta * x) / beta;
}

const declaration = /* @__PURE__ */ declareActivation({
  name: 'softplus',
  wgsl,
  includes: [div, sigmoidLib, softplusLib],
  params: {
    /** How sharp the bend is. */
    beta: { default: 1, unit: 1 },
    /** From beta x above this on it is x itself. */
    threshold: 20,
  },
  forward: (x, { beta, threshold }) => scaledSoftplus(x, beta, threshold),
  forwardAll: (x, y, { beta, threshold }) => {
    for (let i = 0; i < y.length; i++) y[i] = scaledSoftplus(at(x, i), beta, threshold);
  },
  backward: (x, gradOutput, { beta, threshold }) =>
    beta * x > threshold ? gradOutput : gradOutput * logistic(beta * x),
  accuracy: { forward: 3, backward: 3 },
  docs: {
    tex: String.raw`\frac{\log(1 + e^{\beta x})}{\beta}`,
    derivative: String.raw`\begin{cases} \sigma(\beta x) & \beta x \le \mathrm{threshold} \\ 1 & \text{otherwise} \end{cases}`,
    range: String.raw`(0, \infty)`,
    torch: 'softplus',
    cite: 'Dugas, Bengio, Bélisle, Nadeau & Garcia 2001, Incorporating Second-Order Functional Knowledge for Better Option Pricing',
    use: 'For outputs that must be positive, such as a variance. In hidden layers it is slower than relu and rarely better.',
  },
});
export default declaration;

/**
 * Smooth rectifier: log(1 + e^(beta · x)) / beta (beta 1), x itself where beta · x is above threshold (20).
 *
 * @example softplus(x, { beta: 2 })
 */
export const softplus = /* @__PURE__ */ defineActivation(declaration);

/** `softplus` as a module. */
export class Softplus extends /* @__PURE__ */ activationModule(softplus) {}

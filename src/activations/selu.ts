import wgsl from '../../shaders/activations/selu.wgsl?raw';
import { defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';
import { exp, expm1 } from '../shader/lib.ts';

const SCALE = 1.0507009873554805;
const ALPHA = 1.6732632423543772;

/** Scaled exponential linear unit: elu with the alpha and scale that keep mean 0 and variance 1 through deep networks. */
export const selu = /* @__PURE__ */ defineActivation({
  name: 'selu',
  wgsl,
  includes: [exp, expm1],
  forward: (x) => (x > 0 ? SCALE * x : SCALE * ALPHA * Math.expm1(x)),
  backward: (x, gradOutput) => gradOutput * (x > 0 ? SCALE : SCALE * ALPHA * Math.exp(x)),
  accuracy: { forward: 2.5, backward: 3 },
  docs: {
    tex: String.raw`\lambda \begin{cases} x & x > 0 \\ \alpha (e^x - 1) & x \le 0 \end{cases}`,
    derivative: String.raw`\lambda \begin{cases} 1 & x > 0 \\ \alpha e^x & x \le 0 \end{cases}`,
    range: String.raw`[-\lambda \alpha, \infty)`,
    torch: 'selu',
    cite: 'Klambauer, Unterthiner, Mayr & Hochreiter 2017, Self-Normalizing Neural Networks',
    kinks: 'scale · alpha = 1.758 at x = 0',
    use: 'Plain deep networks without normalisation layers, with LeCun initial weights. Other initial weights, or dropout, break what it is for.',
  },
});

/** `selu` as a module. */
export class SELU extends /* @__PURE__ */ activationModule(selu) {}

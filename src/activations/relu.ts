import wgsl from '../../shaders/activations/relu.wgsl?raw';
import { defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';

/** Rectifier: max(x, 0). Gradient 1 above 0, 0 at and below. NaN stays NaN. Same shape as `x`. */
export const relu = /* @__PURE__ */ defineActivation({
  name: 'relu',
  wgsl,
  forward: (x) => (x < 0 ? 0 : x),
  forwardAll: (x, y) => {
    // Looked up, as in leakyRelu.
    const results = new Float64Array(2);
    for (let i = 0; i < y.length; i++) {
      const v = (results[0] = x[i] ?? NaN);
      y[i] = results[Number(v < 0)] ?? NaN;
    }
  },
  backward: (x, gradOutput) => (x <= 0 ? 0 : gradOutput),
  accuracy: { forward: 0, backward: 0 },
  docs: {
    tex: String.raw`\max(x, 0)`,
    derivative: String.raw`\begin{cases} 1 & x > 0 \\ 0 & x \le 0 \end{cases}`,
    range: String.raw`[0, \infty)`,
    torch: 'relu',
    cite: 'Nair & Hinton 2010, Rectified Linear Units Improve Restricted Boltzmann Machines',
    kinks: '0 at x = 0',
    use: 'The default for hidden layers: cheap, no saturation above 0. A unit whose input stays below 0 gets no gradient and dies; leakyRelu or prelu keep it alive.',
  },
});

/** `relu` as a module. */
export class ReLU extends /* @__PURE__ */ activationModule(relu) {}

import wgsl from '../../shaders/activations/relu.wgsl?raw';
import { at } from '../cpu/rows.ts';
import { declareActivation, defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';

const declaration = /* @__PURE__ */ declareActivation({
  name: 'relu',
  wgsl,
  forward: (x) => (x < 0 ? 0 : x),
  forwardAll: (x, y) => {
    if (!(x instanceof Float32Array && y instanceof Float32Array)) {
      for (let i = 0; i < y.length; i++) y[i] = Math.max(at(x, i), 0);
      return;
    }
    // By the bits: a branch on the sign is mispredicted every other time. Those of negative numbers are, as integers, below
    // those of a NaN with a sign.
    const from = new Int32Array(x.buffer, x.byteOffset, x.length);
    const to = new Int32Array(y.buffer, y.byteOffset, y.length);
    for (let i = 0; i < to.length; i++) {
      const bits = from[i] ?? 0;
      to[i] = bits & ~((bits >> 31) & ((bits + 0x7fffff) >> 31));
    }
  },
  backward: (x, gradOutput) => (x <= 0 ? 0 : gradOutput),
  inplace: () => true,
  accuracy: { forward: 0, backward: 0 },
  docs: {
    tex: String.raw`\max(x, 0)`,
    derivative: String.raw`\begin{cases} 1 & x > 0 \\ 0 & x \le 0 \end{cases}`,
    range: String.raw`[0, \infty)`,
    torch: 'relu',
    cite: 'Nair & Hinton 2010, Rectified Linear Units Improve Restricted Boltzmann Machines',
    kinks: 'the gradient at x = 0 is 0',
    use: 'The default for hidden layers: it is cheap, and its gradient does not vanish above 0. A unit whose input is always below 0 gets no gradient and stops learning (it dies); leakyRelu and prelu keep such units alive.',
  },
});
export default declaration;

/**
 * Rectifier: max(x, 0). Gradient 1 above 0, 0 at and below. NaN stays NaN. Same shape as `x`.
 *
 * @example relu(x)
 */
export const relu = /* @__PURE__ */ defineActivation(declaration);

/** `relu` as a module. */
export class ReLU extends /* @__PURE__ */ activationModule(relu) {}

import wgsl from '../../shaders/activations/leaky-relu.wgsl?raw';
import { at } from '../cpu/rows.ts';
import { declareActivation, defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';

const declaration = /* @__PURE__ */ declareActivation({
  name: 'leakyRelu',
  wgsl,
  params: {
    /** The slope below 0. */
    negativeSlope: 0.01,
  },
  forward: (x, { negativeSlope }) => (x > 0 ? x : negativeSlope * x),
  forwardAll: (x, y, { negativeSlope }) => {
    // Looked up instead of chosen: a branch on the sign is mispredicted every other time, which costs three times as much.
    const slopes = new Float64Array([negativeSlope, 1]);
    for (let i = 0; i < y.length; i++) {
      const v = at(x, i);
      y[i] = v * at(slopes, Number(v > 0));
    }
  },
  backward: (x, gradOutput, { negativeSlope }) => (x > 0 ? gradOutput : negativeSlope * gradOutput),
  inplace: ({ negativeSlope }) => negativeSlope >= 0,
  accuracy: { forward: 1, backward: 1 },
  docs: {
    tex: String.raw`\begin{cases} x & x > 0 \\ \alpha x & x \le 0 \end{cases}`,
    derivative: String.raw`\begin{cases} 1 & x > 0 \\ \alpha & x \le 0 \end{cases}`,
    range: String.raw`(-\infty, \infty)`,
    torch: 'leaky_relu',
    cite: 'Maas, Hannun & Ng 2013, Rectifier Nonlinearities Improve Neural Network Acoustic Models',
    kinks: 'the gradient at x = 0 is negativeSlope',
    use: 'Use it when relu units die: its small slope below 0 keeps a gradient. You have to choose the slope; prelu learns it.',
  },
});
export default declaration;

/**
 * Leaky rectifier: x above 0, else negativeSlope · x (default 0.01). At 0 the gradient is negativeSlope.
 *
 * @example leakyRelu(x, { negativeSlope: 0.2 })
 */
export const leakyRelu = /* @__PURE__ */ defineActivation(declaration);

/** `leakyRelu` as a module. */
export class LeakyReLU extends /* @__PURE__ */ activationModule(leakyRelu) {}

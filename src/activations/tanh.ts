import wgsl from '../../shaders/activations/tanh.wgsl?raw';
import { at } from '../cpu/rows.ts';
import { declareActivation, defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';
import { tanh as tanhLib } from '../shader/lib.ts';

function sech2(x: number): number {
  const e = Math.exp(-2 * Math.abs(x));
  return (4 * e) / ((1 + e) * (1 + e));
}

const declaration = /* @__PURE__ */ declareActivation({
  name: 'tanh',
  wgsl,
  includes: [tanhLib],
  forward: Math.tanh,
  forwardAll: (x, y) => {
    for (let i = 0; i < y.length; i++) y[i] = Math.tanh(at(x, i));
  },
  backward: (x, gradOutput) => gradOutput * sech2(x),
  accuracy: { forward: 1.25, backward: 3 },
  docs: {
    tex: String.raw`\tanh x`,
    derivative: String.raw`1 - \tanh^2 x`,
    range: String.raw`(-1, 1)`,
    torch: 'tanh',
    cite: 'LeCun, Bottou, Orr & Müller 1998, Efficient BackProp',
    use: 'For recurrent cells and bounded outputs: its results lie between -1 and 1, around 0. For |x| above 3 it is almost flat, and the gradient vanishes.',
  },
});
export default declaration;

/**
 * Hyperbolic tangent, from -1 to 1. The gradient 1 - tanh² keeps relative accuracy where tanh saturates.
 *
 * @example tanh(x)
 */
export const tanh = /* @__PURE__ */ defineActivation(declaration);

/** `tanh` as a module. */
export class Tanh extends /* @__PURE__ */ activationModule(tanh) {}

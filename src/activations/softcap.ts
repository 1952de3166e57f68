import wgsl from '../../shaders/activations/softcap.wgsl?raw';
import { LARGEST } from '../core/dtype.ts';
import { declareActivation, defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';
import { bits, div, tanh as tanhLib } from '../shader/lib.ts';

const declaration = /* @__PURE__ */ declareActivation({
  name: 'softcap',
  wgsl,
  includes: [bits, div, tanhLib],
  params: {
    /** The bound on both sides; above 0. */
    cap: { default: 30, min: 0, above: true, max: LARGEST, pair: true },
  },
  forward: (x, { cap }) => cap * Math.tanh(x / cap),
  backward: (x, gradOutput, { cap }) => {
    const e = Math.exp(-2 * Math.abs(x / cap));
    return gradOutput * ((4 * e) / ((1 + e) * (1 + e)));
  },
  accuracy: { forward: 3, backward: 4 },
  docs: {
    tex: String.raw`c \tanh(x / c)`,
    derivative: String.raw`1 - \tanh^2(x / c)`,
    range: String.raw`(-c, c)`,
    cite: 'Gemma Team 2024, Gemma 2: Improving Open Language Models at a Practical Size',
    use: 'Keeps logits and attention scores within ±cap. Inputs far beyond the cap get almost no gradient.',
  },
});
export default declaration;

/**
 * cap · tanh(x / cap): x, held softly within ±cap (default 30, above 0). Attention and crossEntropy have it as an option of
 * their own. Not in PyTorch; of Gemma 2.
 *
 * @example softcap(logits, { cap: 50 })
 */
export const softcap = /* @__PURE__ */ defineActivation(declaration);

/** `softcap` as a module. */
export class Softcap extends /* @__PURE__ */ activationModule(softcap) {}

import { sigmoid } from '../activations/sigmoid.ts';
import { defineGated } from '../define/gated.ts';
import { optionalModule } from '../define/module.ts';

/**
 * Gated linear unit: a · sigmoid(b), a and b the halves of `x` along `dim` (default -1).
 *
 * @example glu(x, { dim: 1 })
 */
export const glu = /* @__PURE__ */ defineGated({
  name: 'glu',
  activation: sigmoid,
  gate: 'second',
  accuracy: { forward: 3, backward: 4 },
  docs: {
    tex: String.raw`a \cdot \sigma(b)`,
    derivative: String.raw`\partial a: \sigma(b), \quad \partial b: a \sigma(b) \sigma(-b)`,
    range: String.raw`(-\infty, \infty)`,
    torch: 'glu',
    cite: 'Dauphin, Fan, Auli & Grangier 2017, Language Modeling with Gated Convolutional Networks',
    use: 'For convolutional and recurrent models in which the network learns what to let through. The layer before it must produce twice as many features. In transformers, swiglu and geglu work better.',
  },
});

/** `glu` as a module. */
export class GLU extends /* @__PURE__ */ optionalModule(glu) {}

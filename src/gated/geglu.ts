import { gelu } from '../activations/gelu.ts';
import { defineGated } from '../define/gated.ts';
import { optionalModule } from '../define/module.ts';

/** Gated unit with gelu: gelu(a) · b, a and b the halves of `x` along `dim` (default -1). `approximate` as in gelu. */
export const geglu = /* @__PURE__ */ defineGated({
  name: 'geglu',
  activation: gelu,
  gate: 'first',
  accuracy: { forward: 3, backward: 4 },
  docs: {
    tex: String.raw`\mathrm{gelu}(a) \cdot b`,
    derivative: String.raw`\partial a: b \, \mathrm{gelu}'(a), \quad \partial b: \mathrm{gelu}(a)`,
    range: String.raw`(-\infty, \infty)`,
    torch: null,
    cite: 'Shazeer 2020, GLU Variants Improve Transformer',
    use: 'Feed-forward layers of transformers (T5 v1.1, Gemma), at 2/3 of the width for the same cost.',
  },
});

/** `geglu` as a module. */
export class GEGLU extends /* @__PURE__ */ optionalModule(geglu) {}

import { silu } from '../activations/silu.ts';
import { defineGated } from '../define/gated.ts';
import { optionalModule } from '../define/module.ts';

/** Gated unit with silu: silu(a) · b, a and b the halves of `x` along `dim` (default -1). */
export const swiglu = /* @__PURE__ */ defineGated({
  name: 'swiglu',
  activation: silu,
  gate: 'first',
  accuracy: { forward: 3, backward: 4 },
  docs: {
    tex: String.raw`\mathrm{silu}(a) \cdot b`,
    derivative: String.raw`\partial a: b \, \sigma(a) (1 + a \sigma(-a)), \quad \partial b: \mathrm{silu}(a)`,
    range: String.raw`(-\infty, \infty)`,
    torch: null,
    cite: 'Shazeer 2020, GLU Variants Improve Transformer',
    use: 'Feed-forward layers of transformers (LLaMA, PaLM), at 2/3 of the width for the same cost.',
  },
});

/** `swiglu` as a module. */
export class SwiGLU extends /* @__PURE__ */ optionalModule(swiglu) {}

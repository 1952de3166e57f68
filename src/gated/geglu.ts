import { gelu } from '../activations/gelu.ts';
import { defineGated } from '../define/gated.ts';
import { pairOf } from '../define/gated-pair.ts';
import { gatedModule } from '../define/module.ts';

/**
 * Gated unit with gelu: gelu(a) · b, a and b the halves of `x` along `dim` (default -1), or two tensors of one shape. `approximate` as in gelu.
 *
 * @example geglu(x); geglu(gate, up)
 */
export const geglu = /* @__PURE__ */ defineGated({
  name: 'geglu',
  activation: gelu,
  gate: 'first',
  pair: /* @__PURE__ */ pairOf(gelu),
  accuracy: { forward: 3, backward: 4 },
  docs: {
    tex: String.raw`\mathrm{gelu}(a) \cdot b`,
    derivative: String.raw`\partial a: b \, \mathrm{gelu}'(a), \quad \partial b: \mathrm{gelu}(a)`,
    range: String.raw`(-\infty, \infty)`,
    shapes:
      'x, whose size along `dim` is even; or gate and up of the same shape: `geglu(gate, up)`',
    cite: 'Shazeer 2020, GLU Variants Improve Transformer',
    use: 'For the feed-forward layers of transformers (T5 v1.1, Gemma). It needs a third weight matrix, so take 2/3 of the usual width for the same cost.',
  },
});

/** `geglu` as a module. */
export class GEGLU extends /* @__PURE__ */ gatedModule(geglu) {}

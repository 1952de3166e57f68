import { relu } from '../activations/relu.ts';
import { defineGated } from '../define/gated.ts';
import { pairOf } from '../define/gated-pair.ts';
import { gatedModule } from '../define/module.ts';

/**
 * Gated unit with relu: relu(a) · b, a and b the halves of `x` along `dim` (default -1), or two tensors of one shape.
 *
 * @example reglu(x); reglu(gate, up)
 */
export const reglu = /* @__PURE__ */ defineGated({
  name: 'reglu',
  activation: relu,
  gate: 'first',
  pair: /* @__PURE__ */ pairOf(relu),
  accuracy: { forward: 1, backward: 1 },
  docs: {
    tex: String.raw`\max(a, 0) \cdot b`,
    derivative: String.raw`\partial a: b \text{ where } a > 0, \text{otherwise} 0, \quad \partial b: \max(a, 0)`,
    range: String.raw`(-\infty, \infty)`,
    shapes:
      'x, whose size along `dim` is even; or gate and up of the same shape: `reglu(gate, up)`',
    cite: 'Shazeer 2020, GLU Variants Improve Transformer',
    kinks: 'the gradient of a is 0 at a = 0',
    use: 'Like swiglu, but without an exponential, and many of its activations are exactly 0.',
  },
});

/** `reglu` as a module. */
export class ReGLU extends /* @__PURE__ */ gatedModule(reglu) {}

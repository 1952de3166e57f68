import wgsl from '../../shaders/gated/swiglu.wgsl?raw';
import { silu } from '../activations/silu.ts';
import { defineGated } from '../define/gated.ts';
import type { GatedPair } from '../define/gated-pair.ts';
import { gatedModule } from '../define/module.ts';
import type { NoParams } from '../define/params.ts';
import { logistic } from '../cpu/special.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkNumber, checkOptionNames } from '../core/validate-options.ts';
import { bits, div, sigmoid } from '../shader/lib.ts';
import { source } from '../shader/link.ts';

/** Options of `swiglu` of two tensors. */
export interface SwigluPairOptions {
  /** The gate's activation is x · sigmoid(alpha x). Defaults to 1; 1.702 in GPT-OSS. */
  alpha?: number;
  /**
   * The gate is clamped from above at it, the other operand on both sides, before all else; at the limit the gradient passes. At
   * least 0; none by default, 7 in GPT-OSS.
   */
  limit?: number;
  /** Added to the other operand. Defaults to 0; 1 in GPT-OSS. */
  offset?: number;
  /** Written instead of a new tensor; may be either of them. Only where no gradient is recorded. */
  out?: Tensor;
}

const LARGEST = 2 ** 128 - 2 ** 104;

const pair: GatedPair = {
  source: /* @__PURE__ */ source('gated/swiglu.wgsl', wgsl, [bits, div, sigmoid]),
  params: {
    names: ['alpha', 'alphaLow', 'limit', 'offset', 'limited'],
    integers: ['limited'],
  },
  operands: {
    gate: 'gate_of(gate, p)',
    up: 'up_of(up, p)',
    gatePasses: 'passes(gate, p)',
    upPasses: 'passes(abs(up), p)',
  },
  resolve: (op, options, others) => {
    checkOptionNames(op, options, ['alpha', 'limit', 'offset', ...others]);
    const { alpha = 1, limit = Infinity, offset = 0 } = options as SwigluPairOptions;
    checkNumber(op, 'alpha', alpha, { min: -LARGEST, max: LARGEST });
    checkNumber(op, 'limit', limit, { min: 0 });
    checkNumber(op, 'offset', offset, { min: -LARGEST, max: LARGEST });
    const alphaLow = alpha - Math.fround(alpha);
    return { alpha, alphaLow, limit, offset, limited: Number(limit < Infinity) };
  },
  forward: (gate, up, { alpha = 1, limit = Infinity, offset = 0 }) => {
    const a = gate > limit ? limit : gate;
    return a * logistic(alpha * a) * (clampTo(up, limit) + offset);
  },
  backward: (gate, up, g, { alpha = 1, limit = Infinity, offset = 0, limited = 0 }) => {
    const a = gate > limit ? limit : gate;
    const upper = g * (clampTo(up, limit) + offset);
    const share = logistic(alpha * a);
    const slope = upper * share + upper * a * (alpha * share * logistic(-alpha * a));
    const passes = (x: number): boolean => limited === 0 || x <= limit;
    return [passes(gate) ? slope : 0, passes(Math.abs(up)) ? g * (a * share) : 0];
  },
};

export default pair;

const clampTo = (x: number, limit: number): number => (x > limit ? limit : x < -limit ? -limit : x);

/**
 * Gated unit with silu: silu(a) · b, a and b the halves of `x` along `dim` (default -1), or two tensors of one shape.
 *
 * @example swiglu(x); swiglu(gate, up)
 */
export const swiglu = /* @__PURE__ */ defineGated<NoParams, SwigluPairOptions>({
  name: 'swiglu',
  activation: silu,
  gate: 'first',
  pair,
  accuracy: { forward: 3, backward: 4 },
  docs: {
    tex: String.raw`\mathrm{silu}(a) \cdot b`,
    derivative: String.raw`\partial a: b \, \sigma(a) (1 + a \sigma(-a)), \quad \partial b: \mathrm{silu}(a)`,
    range: String.raw`(-\infty, \infty)`,
    shapes:
      'x, whose size along `dim` is even; or gate and up of the same shape: `swiglu(gate, up, { alpha, limit, offset })`',
    cite: 'Shazeer 2020, GLU Variants Improve Transformer',
    use: 'For the feed-forward layers of transformers (LLaMA, PaLM). It needs a third weight matrix, so take 2/3 of the usual width for the same cost.',
  },
});

/** `swiglu` as a module. */
export class SwiGLU extends /* @__PURE__ */ gatedModule(swiglu) {}

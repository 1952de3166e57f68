import wgsl from '../../shaders/activations/tanhshrink.wgsl?raw';
import { declareActivation, defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';
import { bits, div, exp, tanh as tanhLib } from '../shader/lib.ts';

/** Taylor coefficients of (x - tanh x) / x³ in x²; 1e-14 of it for |x| < 1/4. */
const SERIES = [
  1 / 3,
  -2 / 15,
  17 / 315,
  -62 / 2835,
  1382 / 155925,
  -21844 / 6081075,
  929569 / 638512875,
  -6404582 / 10854718875,
];

function shrink(x: number): number {
  if (!(Math.abs(x) < 0.25)) return x - Math.tanh(x);
  return x ** 3 * SERIES.reduceRight((sum, c) => sum * x * x + c, 0);
}

const declaration = /* @__PURE__ */ declareActivation({
  name: 'tanhshrink',
  wgsl,
  includes: [bits, div, exp, tanhLib],
  forward: shrink,
  // PyTorch subtracts Inf from Inf where gradOutput is infinite.
  backward: (x, gradOutput) => gradOutput * Math.tanh(x) ** 2 + 0 * gradOutput,
  accuracy: { forward: 3, backward: 4 },
  docs: {
    tex: String.raw`x - \tanh x`,
    derivative: String.raw`\tanh^2 x`,
    range: String.raw`(-\infty, \infty)`,
    torch: 'tanhshrink',
    cite: 'PyTorch (Torch7’s TanhShrink)',
    use: 'For sparse coding: small inputs become almost 0, and large inputs move towards 0 by 1. Its gradient vanishes near 0.',
  },
});
export default declaration;

/**
 * x - tanh(x); near 0 a series, so that the small difference is exact. The gradient is tanh²(x).
 *
 * @example tanhshrink(x)
 */
export const tanhshrink = /* @__PURE__ */ defineActivation(declaration);

/** `tanhshrink` as a module. */
export class Tanhshrink extends /* @__PURE__ */ activationModule(tanhshrink) {}

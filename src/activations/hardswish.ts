import wgsl from '../../shaders/activations/hardswish.wgsl?raw';
import { declareActivation, defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';
import { bits, div } from '../shader/lib.ts';

const declaration = /* @__PURE__ */ declareActivation({
  name: 'hardswish',
  wgsl,
  includes: [bits, div],
  forward: (x) => (x <= -3 ? x * 0 : x >= 3 ? x : (x * (x + 3)) / 6),
  backward: (x, gradOutput) => (x <= -3 ? 0 : x >= 3 ? gradOutput : gradOutput * ((2 * x + 3) / 6)),
  inplace: () => false,
  accuracy: { forward: 2, backward: 2 },
  docs: {
    tex: String.raw`x \cdot \frac{\min(\max(x + 3, 0), 6)}{6}`,
    derivative: String.raw`\begin{cases} 0 & x \le -3 \\ \tfrac{2x + 3}{6} & |x| < 3 \\ 1 & x \ge 3 \end{cases}`,
    range: String.raw`[-\tfrac38, \infty)`,
    torch: 'hardswish',
    cite: 'Howard et al. 2019, Searching for MobileNetV3',
    kinks: 'the gradient is 0 at x = -3 and 1 at x = 3',
    use: 'A cheap silu for small devices: it needs no exponential. Units whose input is below -3 get no gradient.',
  },
});
export default declaration;

/**
 * Piecewise quadratic swish: x · min(max(x + 3, 0), 6) / 6. 0 up to -3 (NaN at -Inf, as PyTorch), x from 3 on.
 *
 * @example hardswish(x)
 */
export const hardswish = /* @__PURE__ */ defineActivation(declaration);

/** `hardswish` as a module. */
export class Hardswish extends /* @__PURE__ */ activationModule(hardswish) {}

import wgsl from '../../shaders/losses/charbonnier.wgsl?raw';
import { BROADCAST, declareLoss, defineLoss } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';
import { bits, div, sqrt } from '../shader/lib.ts';

const declaration = /* @__PURE__ */ declareLoss({
  name: 'charbonnierLoss',
  wgsl,
  includes: [bits, div, sqrt],
  params: {
    /** The width of the bend at 0; above 0. */
    eps: { default: 1e-3, min: 0, above: true },
  },
  forward: (input, target, { eps }) => Math.hypot(input - target, eps),
  backward: (input, target, gradOutput, { eps }) => {
    const d = input - target;
    const slope = Math.abs(d) === Infinity ? Math.sign(d) : d / Math.hypot(d, eps);
    return [slope * gradOutput, -slope * gradOutput];
  },
  accuracy: { forward: 4, backward: 4 },
  docs: {
    tex: String.raw`\sqrt{(x - y)^2 + \varepsilon^2}`,
    derivative: String.raw`\frac{x - y}{\sqrt{(x - y)^2 + \varepsilon^2}}`,
    range: String.raw`[\varepsilon, \infty)`,
    shapes: BROADCAST,
    cite: 'Charbonnier, Blanc-Féraud, Aubert & Barlaud 1994; Lai, Huang, Ahuja & Yang 2017, LapSRN (arXiv 1704.03915)',
    use: 'For restoring or enlarging images. Results are sharper than with squared errors, and unlike the absolute error it is smooth at 0. Its smallest value is eps, not 0. With a large eps it behaves like the squared error, with a tiny eps like the absolute error.',
  },
});
export default declaration;

/**
 * Charbonnier loss, a smooth absolute error: √(d² + eps²) with d = input - target (`eps` 1e-3, above 0); averaged by default.
 * Gradient d / √(d² + eps²), and its negative for the target. Squares do not overflow on the way. As in LapSRN; Kornia's
 * is this with eps 1, less 1.
 *
 * @example charbonnierLoss(image, target, { eps: 1e-3 })
 */
export const charbonnierLoss = /* @__PURE__ */ defineLoss(declaration);

/** `charbonnierLoss` as a module. */
export class CharbonnierLoss extends /* @__PURE__ */ lossModule(charbonnierLoss) {}

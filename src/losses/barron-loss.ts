import wgsl from '../../shaders/losses/barron.wgsl?raw';
import { BROADCAST, declareLoss, defineLoss } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';
import { bits, exp, expm1, log, log1p, pow } from '../shader/lib.ts';

/** √b. For alpha = 2, where b is 0, 1 does: the power that it is part of has the exponent 0. */
const widthOf = (alpha: number): number =>
  Math.fround(alpha) === 2 ? 1 : Math.sqrt(Math.abs(alpha - 2));
const factorOf = (alpha: number): number => Math.abs(alpha - 2) / alpha;
/** log(z² / b + 1), without the square where that overflows. */
const logOf = (t: number): number => (t > 2 ** 30 ? 2 * Math.log(t) : Math.log1p(t * t));

const declaration = /* @__PURE__ */ declareLoss({
  name: 'barronLoss',
  wgsl,
  includes: [bits, exp, expm1, log, log1p, pow],
  params: {
    /** How little outliers count: 2 squares, 1 Charbonnier, 0 Cauchy, -2 Geman–McClure. */
    alpha: { default: 1, min: -3e38, max: 3e38 },
    /** The size of ordinary errors; above 0. */
    c: { default: 1, min: 0, above: true },
  },
  derived: {
    rest: ({ alpha }) => alpha - Math.fround(alpha),
    inverse: ({ c }) => 2 / c,
    reach: ({ alpha, c }) => 2 / (c * widthOf(alpha)),
    lead: ({ alpha, c }) => widthOf(alpha) / c,
    factor: ({ alpha }) => (alpha === 0 ? 0 : factorOf(alpha)),
    stretch: ({ alpha }) => (alpha > 0 ? factorOf(alpha) ** (1 / alpha) : 0),
  },
  forward: (input, target, { alpha, c }) => {
    const z = (input - target) / c;
    if (Math.fround(alpha) === 2) return (z * z) / 2;
    const l = logOf(Math.abs(z) / widthOf(alpha));
    return Math.abs(alpha) < 1e-30 ? l : factorOf(alpha) * Math.expm1((alpha / 2) * l);
  },
  backward: (input, target, gradOutput, { alpha, c }) => {
    const z = (input - target) / c;
    const width = widthOf(alpha);
    const t = Math.abs(z) / width;
    const slope =
      t > 2 ** 30
        ? (Math.sign(z) * width * t ** (alpha - 1)) / c
        : (z / c) * Math.exp((alpha / 2 - 1) * logOf(t));
    return [slope * gradOutput, -slope * gradOutput];
  },
  // For alpha from -16 to 16: what rounds the logarithm counts as often as the exponent says.
  accuracy: { forward: 12, backward: 8 },
  docs: {
    tex: String.raw`\frac{b}{\alpha} \left(\left(\frac{z^2}{b} + 1\right)^{\alpha/2} - 1\right)\quad z = \frac{x - y}{c},\ b = |\alpha - 2|`,
    derivative: String.raw`\frac{z}{c} \left(\frac{z^2}{b} + 1\right)^{\alpha/2 - 1}`,
    range: String.raw`[0, \infty)`,
    shapes: BROADCAST,
    cite: 'Barron 2019, A General and Adaptive Robust Loss Function (arXiv 1701.03077)',
    use: 'For regression when you do not know how bad the outliers are. alpha sets how strongly an outlier pulls: with 1 the pull is bounded, with 0 (Cauchy) and -2 (Geman–McClure) it falls with the distance, with a very negative alpha (Welsch) it vanishes. Below 1 the loss is not convex, and far points have almost no gradient: start near a fit, or with a larger alpha. c has the unit of the target.',
  },
});
export default declaration;

/**
 * The general robust loss of Barron: b/alpha ((z²/b + 1)^(alpha/2) - 1) with z = (input - target) / c and b = |alpha - 2|;
 * averaged by default. `alpha` (1, finite) sets how little outliers count: 2 is squares, z²/2; 1 is Charbonnier's, √(z² + 1)
 * - 1; 0 is Cauchy's, log(1 + z²/2); -2 is Geman and McClure's, 2 z² / (z² + 4); a very negative one, as -1e6, is Welsch's,
 * 1 - e^(-z²/2). `c` (1, above 0) is the size of ordinary errors. Alpha has no gradient. As jonbarron/robust_loss_pytorch.
 *
 * @example barronLoss(prediction, target, { alpha: -2, c: 0.1 }) // Geman–McClure
 */
export const barronLoss = /* @__PURE__ */ defineLoss(declaration);

/** `barronLoss` as a module. */
export class BarronLoss extends /* @__PURE__ */ lossModule(barronLoss) {}

import wgsl from '../../shaders/losses/asymmetric.wgsl?raw';
import { logistic, softplusOf } from '../cpu/special.ts';
import { sameShapes } from '../define/arrange.ts';
import { ALIKE, declareLoss, defineLoss } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';
import { bits, div, log, log1p, pow, sigmoid, softplus } from '../shader/lib.ts';

interface Options {
  readonly gammaNeg: number;
  readonly gammaPos: number;
  readonly clip: number;
  readonly eps: number;
}

/** Terms that the loss and its gradient share. */
function partsOf(x: number, y: number, { gammaNeg, gammaPos, clip, eps }: Options) {
  const [yes, no] = [logistic(x), logistic(-x)];
  const away = yes < clip ? 0 : yes - clip;
  const short = away < 0.5 ? Math.log1p(-away) : Math.log(no + clip);
  const logNo = clip === 0 ? -softplusOf(x) : short;
  const miss = y * no + (1 - y) * away;
  const gamma = gammaPos * y + gammaNeg * (1 - y);
  const least = (v: number): number => (v < Math.log(eps) ? Math.log(eps) : v);
  const base = y * least(-softplusOf(-x)) + (1 - y) * least(logNo);
  return { yes, no, miss, gamma, base, logYes: -softplusOf(-x), logNo, hard: miss ** gamma };
}

const declaration = /* @__PURE__ */ declareLoss({
  name: 'asymmetricLoss',
  wgsl,
  includes: [bits, div, log, log1p, pow, sigmoid, softplus],
  params: {
    /** How much less easy negatives count; at least 0. */
    gammaNeg: { default: 4, min: 0 },
    /** How much less easy positives count; at least 0. */
    gammaPos: { default: 1, min: 0 },
    /** Probabilities of negatives below it cost nothing; below 1. */
    clip: { default: 0.05, min: 0, max: 1, below: true },
    /** The least probability of which a logarithm is taken; above 0. */
    eps: { default: 1e-8, min: 0, above: true },
  },
  derived: { logEps: ({ eps }) => Math.log(eps) },
  differentiable: ['input'],
  reductions: ['sum', 'mean', 'none'],
  arrange: sameShapes,
  domain: { target: { min: 0, max: 1, nan: true } },
  forward: (input, target, options) => {
    const { base, hard } = partsOf(input, target, options);
    return -base * hard;
  },
  backward: (input, target, gradOutput, options) => {
    const { yes, no, miss, gamma, base, logYes, logNo, hard } = partsOf(input, target, options);
    const { clip, eps } = options;
    if (Number.isNaN(input)) return [NaN];
    const [bell, inside] = [yes * no, yes >= clip];
    const byYes = logYes <= Math.log(eps) ? 0 : no;
    const byNo = !inside || logNo <= Math.log(eps) ? 0 : -bell / (no + clip);
    const slope = (1 - target) * (inside ? bell : 0) - target * bell;
    const bend = miss === 0 || gamma === 0 ? 0 : (gamma * base * slope) / miss;
    return [-(target * byYes + (1 - target) * byNo + bend) * hard * gradOutput];
  },
  largestTerm: {
    // p - clip loses digits where both are almost equal.
    forward: (input, _target, { gammaNeg }) => Math.max(1, Math.abs(input)) * (1 + gammaNeg),
    backward: (_input, _target, { gammaNeg }) => [(1 + gammaNeg) ** 2],
  },
  accuracy: { forward: 8, backward: 8 },
  docs: {
    tex: String.raw`-\left(y \log p + (1 - y) \log n\right) (1 - p_y)^{\gamma_y}\quad n = \min(1 - p + \mathrm{clip}, 1)`,
    derivative: String.raw`-(1 - p_y)^{\gamma_y} \left(\frac{p_y'}{p_y} - \gamma_y \frac{p_y'}{1 - p_y} \log p_y\right)`,
    range: String.raw`[0, \infty)`,
    shapes: ALIKE,
    cite: 'Ridnik et al. 2021, Asymmetric Loss For Multi-Label Classification (arXiv 2009.14119); Alibaba-MIIL/ASL',
    kinks:
      'where n or a probability is exactly at its limit, the gradient is that of the side within the limits',
    use: 'For images with very many possible labels, of which each image has few. The weight of easy negatives falls faster than that of positives, and the easiest negatives cost nothing. This forgives missing labels. The sum over labels grows with their number, and the resulting probabilities are not calibrated.',
  },
});
export default declaration;

/**
 * Asymmetric loss of logits and targets from 0 to 1 of the same shape, for many labels of which few are positive: with p =
 * σ(input) and n = min(1 - p + clip, 1), -(y log max(p, eps) + (1 - y) log max(n, eps)) (1 - pt)^gamma, pt = y p + (1 - y) n,
 * gamma = `gammaPos` (1) y + `gammaNeg` (4) (1 - y). `clip` (0.05) is from 0 to below 1: negatives below it cost nothing;
 * `eps` 1e-8. **Summed** by default. The gradient, of the input, goes through the focusing factor too. Targets outside of [0, 1] are
 * refused where the host knows them. As ASL, timm's
 * AsymmetricLossMultiLabel.
 *
 * @example asymmetricLoss(logits, labels, { gammaNeg: 2 })
 */
export const asymmetricLoss = /* @__PURE__ */ defineLoss(declaration);

/** `asymmetricLoss` as a module. */
export class AsymmetricLoss extends /* @__PURE__ */ lossModule(asymmetricLoss) {}

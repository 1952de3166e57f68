import wgsl from '../../shaders/losses/jsd.wgsl?raw';
import { sameShapes } from '../define/arrange.ts';
import { ALIKE, declareLoss, defineLoss } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';
import { exp, expm1, log1p } from '../shader/lib.ts';

/**
 * t - log M and x - log M, for beta between 0 and 1. This form is accurate for distributions that are almost equal
 * and does not overflow for very different ones.
 */
function gaps(x: number, t: number, beta: number): readonly [number, number] {
  const d = t - x;
  if (d >= 0) {
    const a = -Math.log1p((1 - beta) * Math.expm1(-d));
    return [a, a - d];
  }
  const b = -Math.log1p(beta * Math.expm1(d));
  return [b + d, b];
}

/** An element whose probability is 0 or NaN adds nothing to the loss, whatever the other distribution has there. */
const term = (weight: number, gap: number): number => (weight > 0 ? weight * gap : 0);

const declaration = /* @__PURE__ */ declareLoss({
  name: 'jsd',
  wgsl,
  includes: [exp, expm1, log1p],
  params: {
    /** The weight of the target in the mixture, from 0 to 1. */
    beta: { default: 0.5, min: 0, max: 1 },
  },
  reductions: ['batchmean', 'mean', 'sum', 'none'],
  arrange: sameShapes,
  forward: (input, target, { beta }) => {
    const [p, q] = [Math.exp(target), Math.exp(input)];
    if (beta === 0) return term(p, target - input);
    if (beta === 1) return term(q, input - target);
    const [a, b] = gaps(input, target, beta);
    return term(beta * p, a) + term((1 - beta) * q, b);
  },
  backward: (input, target, gradOutput, { beta }) => {
    const [p, q] = [Math.exp(target), Math.exp(input)];
    if (beta === 0) return [-p * gradOutput, term(p, target - input + 1) * gradOutput];
    if (beta === 1) return [term(q, input - target + 1) * gradOutput, -q * gradOutput];
    const [a, b] = gaps(input, target, beta);
    return [term((1 - beta) * q, b) * gradOutput, term(beta * p, a) * gradOutput];
  },
  largestTerm: {
    forward: (input, target, { beta }) => {
      const [a, b] = gaps(input, target, beta);
      const [p, q] = [Math.exp(target), Math.exp(input)];
      if (beta === 0 || beta === 1) return 0;
      return Math.max(Math.abs(term(beta * p, a)), Math.abs(term((1 - beta) * q, b)));
    },
    backward: (input, target, { beta }) => {
      const d = Math.max(1, Math.abs(target - input));
      return [beta === 1 ? Math.exp(input) * d : 0, beta === 0 ? Math.exp(target) * d : 0];
    },
  },
  accuracy: { forward: 5, backward: 4 },
  docs: {
    tex: String.raw`\beta e^y (y - m) + (1 - \beta) e^x (x - m)\quad m = \log(\beta e^y + (1 - \beta) e^x)`,
    derivative: String.raw`(1 - \beta) e^x (x - m)`,
    range: String.raw`(-\infty, \infty)`,
    shapes: ALIKE,
    cite: 'Lin 1991, Divergence Measures Based on the Shannon Entropy; for distillation: Agarwal et al. 2024',
    use: 'For distillation when neither of the two distributions is simply the right one. With beta 0.5 it is symmetric, and it stays bounded where klDiv is infinite. Its gradient is small while the two hardly overlap.',
  },
});
export default declaration;

/**
 * Generalised Jensen–Shannon divergence of log-probabilities of the same shape: beta KL(P ‖ M) + (1 - beta) KL(Q ‖ M) with
 * P = e^target, Q = e^input and M = beta P + (1 - beta) Q (`beta` 0.5); KL(P ‖ Q) for beta 0 and KL(Q ‖ P) for beta 1. The
 * sum over the first dimension by default (`reduction: 'batchmean'`).
 *
 * @example jsd(logProbs, targetLogProbs, { beta: 0.5 })
 */
export const jsd = /* @__PURE__ */ defineLoss(declaration);

/** `jsd` as a module. */
export class JSDLoss extends /* @__PURE__ */ lossModule(jsd) {}

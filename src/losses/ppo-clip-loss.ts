import wgsl from '../../shaders/losses/ppo-clip.wgsl?raw';
import { sameShapes } from '../define/arrange.ts';
import { ALIKE, declareLoss, defineLoss } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';
import { CLIP_DERIVED, CLIP_SPECS, clippedRatio, clippedRatioGrad } from '../define/policy.ts';
import { clippedRatio as clippedRatioText } from '../shader/lib.ts';

const declaration = /* @__PURE__ */ declareLoss({
  name: 'ppoClipLoss',
  wgsl,
  includes: [clippedRatioText],
  params: CLIP_SPECS,
  derived: CLIP_DERIVED,
  inputs: ['logProbs', 'oldLogProbs', 'advantages'],
  differentiable: ['logProbs'],
  arrange: sameShapes,
  forward: (logProbs, oldLogProbs, advantages, limits) =>
    clippedRatio(logProbs - oldLogProbs, advantages, limits),
  backward: (logProbs, oldLogProbs, advantages, gradOutput, limits) => [
    clippedRatioGrad(logProbs - oldLogProbs, advantages, limits) * gradOutput,
  ],
  largestTerm: {
    // The rounding of the logarithm of the ratio counts as often as it is large.
    forward: (x, old, a) =>
      Math.abs(a) * Math.exp(x - old) * Math.max(1, Math.abs(x), Math.abs(old)),
    backward: (x, old, a) => [
      Math.abs(a) * Math.exp(x - old) * Math.max(1, Math.abs(x), Math.abs(old)),
    ],
  },
  accuracy: { forward: 3, backward: 4 },
  docs: {
    tex: String.raw`-\min\left(r A, \mathrm{clip}(r, 1 - \varepsilon_l, 1 + \varepsilon_h) A\right)\quad r = e^{x - x_{\mathrm{old}}}`,
    derivative: String.raw`-r A`,
    range: String.raw`(-\infty, \infty)`,
    shapes: ALIKE,
    cite: 'Schulman, Wolski, Dhariwal, Radford & Klimov 2017, Proximal Policy Optimization Algorithms (arXiv 1707.06347)',
    kinks: 'at the limits of the ratio the gradient is -r A',
    use: 'For several training steps on the same samples of a policy. A ratio beyond its limit gets no gradient, so after too many steps nothing more is learned. Normalise the advantages. It limits the gain, not how far the policy moves: watch the KL divergence too.',
  },
});
export default declaration;

/**
 * The clipped surrogate of proximal policy optimisation: -min(r A, clip(r, 1 - epsLow, 1 + epsHigh) A) with r = e^(logProbs -
 * oldLogProbs) and advantages A, all of the same shape; averaged by default. `epsLow` (0.2) is from 0 to below 1, `epsHigh`
 * (0.2) at least 0. Gradient -r A for logProbs, at the limits too, and 0 where the ratio is clipped; a clipped loss is
 * finite however large the ratio.
 *
 * @example ppoClipLoss(logProbs, oldLogProbs, advantages, { epsHigh: 0.28 })
 */
export const ppoClipLoss = /* @__PURE__ */ defineLoss(declaration);

/** `ppoClipLoss` as a module. */
export class PPOClipLoss extends /* @__PURE__ */ lossModule(ppoClipLoss) {}

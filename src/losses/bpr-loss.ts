import wgsl from '../../shaders/losses/bpr.wgsl?raw';
import { preferenceGrad, preferenceOf } from '../cpu/special.ts';
import { sameShapes } from '../define/arrange.ts';
import { ALIKE, declareLoss, defineLoss } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';
import { preference } from '../shader/lib.ts';

const declaration = /* @__PURE__ */ declareLoss({
  name: 'bprLoss',
  wgsl,
  includes: [preference],
  inputs: ['positive', 'negative'],
  arrange: sameShapes,
  forward: (positive, negative) => preferenceOf(positive - negative, 0),
  backward: (positive, negative, gradOutput) => {
    const g = preferenceGrad(positive - negative, 0) * gradOutput;
    return [g, -g];
  },
  // The difference is rounded.
  largestTerm: {
    forward: (positive, negative) => Math.max(Math.abs(positive), Math.abs(negative)),
    backward: (positive, negative) => {
      const term = Math.max(1, Math.abs(positive), Math.abs(negative));
      return [term, term];
    },
  },
  accuracy: { forward: 4, backward: 4 },
  docs: {
    tex: String.raw`-\log \sigma(x^+ - x^-)`,
    derivative: String.raw`-\sigma(x^- - x^+)`,
    range: String.raw`(0, \infty)`,
    shapes: ALIKE,
    cite: 'Rendle, Freudenthaler, Gantner & Schmidt-Thieme 2009, BPR: Bayesian Personalized Ranking from Implicit Feedback',
    use: 'For recommendations when you know only what people clicked or bought. It compares each chosen item with one that is drawn from the others. Randomly drawn items soon become too easy to teach anything. Use weight decay, because otherwise scores grow without bound.',
  },
});
export default declaration;

/**
 * Bayesian personalised ranking: -log σ(positive - negative) of the scores of items that were chosen and of others, of the same
 * shape; averaged by default. Gradients for both. As RecBole's BPRLoss, without its 1e-10.
 *
 * @example bprLoss(scoresOfBought, scoresOfOthers)
 */
export const bprLoss = /* @__PURE__ */ defineLoss(declaration);

/** `bprLoss` as a module. */
export class BPRLoss extends /* @__PURE__ */ lossModule(bprLoss) {}

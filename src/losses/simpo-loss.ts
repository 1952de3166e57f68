import wgsl from '../../shaders/losses/simpo.wgsl?raw';
import { preferenceGrad, preferenceOf } from '../cpu/special.ts';
import { sameShapes } from '../define/arrange.ts';
import { ALIKE, declareLoss, defineLoss } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';
import { preference } from '../shader/lib.ts';

const declaration = /* @__PURE__ */ declareLoss({
  name: 'simpoLoss',
  wgsl,
  includes: [preference],
  params: {
    /** What the difference is multiplied by; above 0. */
    beta: { default: 2, min: 0, above: true },
    /** The margin by which it is to be larger. */
    gamma: { default: 0.5, min: -3e38, max: 3e38 },
    /** The share of preferences that are wrong; below 0.5. */
    labelSmoothing: { default: 0, min: 0, max: 0.5, below: true },
  },
  inputs: ['chosenLogps', 'rejectedLogps'],
  arrange: sameShapes,
  forward: (chosen, rejected, { beta, gamma, labelSmoothing }) =>
    preferenceOf(beta * (chosen - rejected) - gamma, labelSmoothing),
  backward: (chosen, rejected, gradOutput, { beta, gamma, labelSmoothing }) => {
    const slope = beta * preferenceGrad(beta * (chosen - rejected) - gamma, labelSmoothing);
    return [slope * gradOutput, -slope * gradOutput];
  },
  largestTerm: {
    forward: (chosen, rejected, { beta, gamma }) =>
      Math.max(beta * Math.abs(chosen), beta * Math.abs(rejected), Math.abs(gamma)),
    backward: (chosen, rejected, { beta, gamma }) => {
      const size = Math.max(Math.abs(chosen), Math.abs(rejected), Math.abs(gamma / beta));
      const term = beta * Math.max(1, beta * size);
      return [term, term];
    },
  },
  accuracy: { forward: 4, backward: 4 },
  docs: {
    tex: String.raw`-\log \sigma\left(\beta (\pi^+ - \pi^-) - \gamma\right)`,
    derivative: String.raw`-\beta\, \sigma\left(\gamma - \beta (\pi^+ - \pi^-)\right)`,
    range: String.raw`(0, \infty)`,
    shapes: ALIKE,
    cite: 'Meng, Xia & Chen 2024, SimPO: Simple Preference Optimization with a Reference-Free Reward (arXiv 2405.14734); TRL CPOTrainer',
    use: 'Like dpoLoss, but without a reference model, so it needs half the memory. It takes the mean log-probability per token, so that long answers have no advantage. Nothing keeps the model near its start, so use a small learning rate.',
  },
});
export default declaration;

/**
 * Simple preference optimisation, of the mean log-probabilities per token of chosen and rejected answers, of the same shape:
 * -(1 - l) log σ(u) - l log σ(-u) with u = beta (chosen - rejected) - gamma, `beta` (2, above 0), `gamma` (0.5) and l =
 * `labelSmoothing` (0, below 0.5). Averaged by default. Gradients for both. As TRL's CPOTrainer.
 *
 * @example simpoLoss(meanLogpsOfChosen, meanLogpsOfRejected)
 */
export const simpoLoss = /* @__PURE__ */ defineLoss(declaration);

/** `simpoLoss` as a module. */
export class SimPOLoss extends /* @__PURE__ */ lossModule(simpoLoss) {}

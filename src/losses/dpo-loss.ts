import wgsl from '../../shaders/losses/dpo.wgsl?raw';
import { preferenceGrad, preferenceOf } from '../cpu/special.ts';
import { sameShapes } from '../define/arrange.ts';
import { ALIKE, declareLoss, defineLoss } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';
import { bits, preference } from '../shader/lib.ts';

type Four = [number, number, number, number];

/** A difference, and what it rounds. */
function difference(a: number, b: number): [number, number] {
  const d = a - b;
  const low = a - (d - (d - a)) - (b + (d - a));
  return [d, Number.isFinite(low) ? low : 0];
}

/** How much more the policy prefers the chosen answer than the reference does. */
function marginOf(...[pc, pr, rc, rr]: Four): number {
  const [chosen, rejected] = [difference(pc, rc), difference(pr, rr)];
  const [h, low] = difference(chosen[0], rejected[0]);
  return h + (low + (chosen[1] - rejected[1]));
}

const largest = (...args: Four): number => Math.max(...args.map(Math.abs));

const declaration = /* @__PURE__ */ declareLoss({
  name: 'dpoLoss',
  wgsl,
  includes: [bits, preference],
  params: {
    /** How much the policy is held to the reference; above 0. */
    beta: { default: 0.1, min: 0, above: true },
    /** The share of preferences that are wrong; below 0.5. */
    labelSmoothing: { default: 0, min: 0, max: 0.5, below: true },
    /** `'sigmoid'`, `'hinge'`, or `'ipo'`, squares. */
    lossType: { choices: ['sigmoid', 'hinge', 'ipo'] },
  },
  derived: { aim: ({ beta }) => 0.5 / beta },
  inputs: [
    'policyChosenLogps',
    'policyRejectedLogps',
    'referenceChosenLogps',
    'referenceRejectedLogps',
  ],
  differentiable: ['policyChosenLogps', 'policyRejectedLogps'],
  arrange: sameShapes,
  forward: (pc, pr, rc, rr, { beta, labelSmoothing, lossType }) => {
    const h = marginOf(pc, pr, rc, rr);
    if (lossType === 1) return beta * h > 1 ? 0 : 1 - beta * h;
    return lossType === 2 ? (h - 0.5 / beta) ** 2 : preferenceOf(beta * h, labelSmoothing);
  },
  backward: (pc, pr, rc, rr, gradOutput, { beta, labelSmoothing, lossType }) => {
    const h = marginOf(pc, pr, rc, rr);
    let slope = beta * preferenceGrad(beta * h, labelSmoothing);
    if (lossType === 1) slope = beta * h >= 1 ? 0 : -beta;
    if (lossType === 2) slope = 2 * (h - 0.5 / beta);
    return [slope * gradOutput, -slope * gradOutput];
  },
  largestTerm: {
    forward: (pc, pr, rc, rr, { beta, lossType }) => {
      const size = Math.max(largest(pc, pr, rc, rr), 0.5 / beta);
      return lossType === 2
        ? size * Math.max(size, Math.abs(marginOf(pc, pr, rc, rr)))
        : beta * size;
    },
    backward: (pc, pr, rc, rr, { beta, lossType }) => {
      const size = largest(pc, pr, rc, rr);
      const term =
        lossType === 2 ? 2 * Math.max(size, 0.5 / beta) : beta * Math.max(1, beta * size);
      return [term, term];
    },
  },
  accuracy: { forward: 4, backward: 4 },
  docs: {
    tex: String.raw`-\log \sigma(\beta h)\quad h = (\pi^+ - \rho^+) - (\pi^- - \rho^-)`,
    derivative: String.raw`-\beta\, \sigma(-\beta h)`,
    range: String.raw`(0, \infty)`,
    shapes: ALIKE,
    cite: 'Rafailov et al. 2023, Direct Preference Optimization; Azar et al. 2023 (ipo); TRL DPOTrainer',
    kinks: 'with lossType `hinge` the gradient at beta h = 1 is 0',
    use: 'Trains a language model on pairs of answers of which people prefer one, without a reward model. Pass the summed log-probability of each answer. Only the gap between the two answers counts, and both can become less likely: watch the probability of the chosen one. If some preferences are wrong, use labelSmoothing or ipo.',
  },
});
export default declaration;

/**
 * Direct preference optimisation, of the log-probabilities that a policy and a reference give to chosen and rejected
 * answers, all of the same shape. With h = (policyChosen - referenceChosen) - (policyRejected - referenceRejected), `beta`
 * (0.1, above 0) and l = `labelSmoothing` (0, below 0.5): `lossType` `'sigmoid'` (default) is -(1 - l) log σ(beta h) - l log
 * σ(-beta h), `'hinge'` max(1 - beta h, 0), `'ipo'` (h - 1/(2 beta))². Averaged by default. Gradients for the policy's two. As
 * TRL's DPOTrainer.
 *
 * @example dpoLoss(policyChosen, policyRejected, referenceChosen, referenceRejected, { beta: 0.1 })
 */
export const dpoLoss = /* @__PURE__ */ defineLoss(declaration);

/** `dpoLoss` as a module. */
export class DPOLoss extends /* @__PURE__ */ lossModule(dpoLoss) {}

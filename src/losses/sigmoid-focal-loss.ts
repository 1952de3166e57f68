import wgsl from '../../shaders/losses/sigmoid-focal.wgsl?raw';
import { sameShapes } from '../define/arrange.ts';
import { ALIKE, declareLoss, defineLoss } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';
import { bce, bits, div, pow, sigmoid } from '../shader/lib.ts';
import { bceOf, logistic } from '../cpu/special.ts';

/** Terms that the formulas share: the cross-entropy, and the distance of the probability from the target. */
function partsOf(input: number, target: number, alpha: number) {
  const [yes, no] = [logistic(input), logistic(-input)];
  return {
    yes,
    no,
    ce: bceOf(input, target, 1),
    miss: yes * (1 - target) + no * target,
    balance: alpha < 0 ? 1 : alpha * target + (1 - alpha) * (1 - target),
  };
}

/**
 * The derivative of miss^gamma, divided by miss^gamma and multiplied by the cross-entropy. It is 0 where miss or
 * gamma is 0, unless the cross-entropy is NaN.
 */
function bendOf(ce: number, miss: number, gamma: number): number {
  if (gamma === 0 || miss === 0) return Number.isNaN(ce) ? NaN : 0;
  return (gamma * ce) / miss;
}

/**
 * The largest term of miss^gamma: more than its value where the target is outside of [0, 1], as miss is a difference
 * there.
 */
function hardTerm(input: number, target: number, gamma: number): number {
  const [yes, no] = [logistic(input) * (1 - target), logistic(-input) * target];
  const miss = Math.abs(yes + no);
  const loss = (Math.abs(yes) + Math.abs(no)) / miss;
  return miss ** gamma * (loss > 1.01 ? 1 + gamma * loss : 1);
}

const declaration = /* @__PURE__ */ declareLoss({
  name: 'sigmoidFocalLoss',
  wgsl,
  includes: [bce, bits, div, pow, sigmoid],
  params: {
    /** The weight of positives, 1 less of negatives; below 0 none. */
    alpha: { default: 0.25, max: 1 },
    /** How much less what is easy counts; at least 0. */
    gamma: { default: 2, min: 0 },
  },
  reductions: ['none', 'mean', 'sum'],
  arrange: sameShapes,
  forward: (input, target, { alpha, gamma }) => {
    const { ce, miss, balance } = partsOf(input, target, alpha);
    return balance * miss ** gamma * ce;
  },
  backward: (input, target, gradOutput, { alpha, gamma }) => {
    const { yes, no, ce, miss, balance } = partsOf(input, target, alpha);
    const g = miss ** gamma * gradOutput;
    const bend = bendOf(ce, miss, gamma);
    const off = input < 0 ? yes - target : 1 - target - no;
    const tilt = alpha < 0 ? 0 : 2 * alpha - 1;
    return [
      balance * (off + bend * yes * no * (1 - 2 * target)) * g,
      (tilt * ce + balance * (bend * (no - yes) - input)) * g,
    ];
  },
  largestTerm: {
    forward: (input, target, { alpha, gamma }) => {
      const { balance } = partsOf(input, target, alpha);
      return (
        hardTerm(input, target, gamma) * Math.abs(balance) * Math.max(Math.abs(input), Math.LN2)
      );
    },
    backward: (input, target, { alpha, gamma }) => {
      const { yes, no, ce, miss, balance } = partsOf(input, target, alpha);
      const bend = Math.abs(bendOf(ce, miss, gamma));
      const tilt = alpha < 0 ? 0 : Math.abs(2 * alpha - 1);
      const hard = hardTerm(input, target, gamma);
      return [
        hard * Math.abs(balance) * Math.max(yes, Math.abs(target), no, bend * yes * no),
        hard * Math.max(Math.abs(tilt * ce), Math.abs(balance) * Math.max(bend, Math.abs(input))),
      ];
    },
  },
  accuracy: { forward: 14, backward: 10 },
  docs: {
    tex: String.raw`\alpha_y (1 - p_y)^\gamma \left(-\log p_y\right)\quad p_y = y \sigma(x) + (1 - y) \sigma(-x)`,
    derivative: String.raw`\alpha_y (1 - p_y)^\gamma \left(\sigma(x) - y + \gamma \frac{p_y'}{1 - p_y} \log p_y\right)`,
    range: String.raw`[0, \infty)`,
    shapes: ALIKE,
    cite: 'Lin, Goyal, Girshick, He & Dollár 2017, Focal Loss for Dense Object Detection',
    use: 'For many labels of which few are positive, such as the anchors of a detector. The usual value is the sum divided by the number of positives. Easy examples count little, wrong labels count much.',
  },
});
export default declaration;

/**
 * Focal loss of logits and targets (0 or 1) of the same shape, as in torchvision: binary cross-entropy times
 * (1 - p)^gamma, p the probability of the target (`gamma` 2, at least 0), and `alpha` (0.25) for positive, 1 - alpha for
 * negative targets; below 0 alpha is left out. Not reduced by default.
 *
 * @example sigmoidFocalLoss(logits, target, { reduction: 'sum' })
 */
export const sigmoidFocalLoss = /* @__PURE__ */ defineLoss(declaration);

/** `sigmoidFocalLoss` as a module. */
export class SigmoidFocalLoss extends /* @__PURE__ */ lossModule(sigmoidFocalLoss) {}

import wgsl from '../../shaders/losses/quantile.wgsl?raw';
import { BROADCAST, declareLoss, defineLoss } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';

const declaration = /* @__PURE__ */ declareLoss({
  name: 'quantileLoss',
  wgsl,
  params: {
    /** The share of targets that are to be below, from 0 to 1. */
    quantile: { default: 0.5, min: 0, max: 1 },
  },
  derived: { rest: ({ quantile }) => 1 - quantile },
  forward: (input, target, { quantile }) =>
    (input > target ? 1 - quantile : -quantile) * (input - target),
  backward: (input, target, gradOutput, { quantile }) => {
    const above = input < target ? 0 : 1 - quantile;
    const below = input > target ? 0 : quantile;
    const g = (above - below) * (input === target ? 0.5 : 1) * gradOutput;
    return [g, -g];
  },
  accuracy: { forward: 3, backward: 3 },
  docs: {
    tex: String.raw`\max(q (y - x), (1 - q)(x - y))`,
    derivative: String.raw`\begin{cases} 1 - q & x > y \\ -q & x < y \end{cases}`,
    range: String.raw`[0, \infty)`,
    shapes: BROADCAST,
    cite: 'Koenker & Bassett 1978, Regression Quantiles; scikit-learn mean_pinball_loss',
    kinks: 'where input and target are equal, the gradient is (1 - 2 q) / 2',
    use: 'Predicts an interval instead of one value: train one output for each quantile, such as 0.1, 0.5 and 0.9. Quantiles that are learned separately can cross each other. Extreme quantiles have few points on their far side, so they are less reliable.',
  },
});
export default declaration;

/**
 * Quantile loss, or pinball loss: max(-q d, (1 - q) d) with d = input - target and q = `quantile` (0.5, from 0 to 1); averaged
 * by default. Its smallest mean is at the q-th quantile of the targets. Gradient 1 - q above the target, -q below, and half
 * their sum at it. As scikit-learn's mean_pinball_loss.
 *
 * @example quantileLoss(prediction, target, { quantile: 0.9 })
 */
export const quantileLoss = /* @__PURE__ */ defineLoss(declaration);

/** `quantileLoss` as a module. */
export class QuantileLoss extends /* @__PURE__ */ lossModule(quantileLoss) {}

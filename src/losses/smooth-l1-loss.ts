import wgsl from '../../shaders/losses/smooth-l1.wgsl?raw';
import { BROADCAST, declareLoss, defineLoss } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';
import { div } from '../shader/lib.ts';

const declaration = /* @__PURE__ */ declareLoss({
  name: 'smoothL1Loss',
  wgsl,
  includes: [div],
  params: {
    /** Where squares become lines; at least 0. */
    beta: { default: 1, min: 0 },
  },
  forward: (input, target, { beta }) => {
    const d = Math.abs(input - target);
    return d < beta ? (0.5 * d * d) / beta : d - 0.5 * beta;
  },
  backward: (input, target, gradOutput, { beta }) => {
    const d = input - target;
    const slope = Math.abs(d) >= beta ? Math.sign(d) : d / beta;
    return [slope * gradOutput, -slope * gradOutput];
  },
  accuracy: { forward: 3, backward: 2 },
  docs: {
    tex: String.raw`\begin{cases} \frac{d^2}{2 \beta} & |d| < \beta \\ |d| - \tfrac12 \beta & |d| \ge \beta \end{cases}\quad d = x - y`,
    derivative: String.raw`\min(\max(d / \beta, -1), 1)`,
    range: String.raw`[0, \infty)`,
    shapes: BROADCAST,
    torch: 'smooth_l1_loss',
    cite: 'Girshick 2015, Fast R-CNN',
    kinks: 'with beta 0, the gradient at x = y is 0',
    use: 'For regression with outliers, such as the coordinates of boxes. It is huberLoss with delta = beta, divided by beta, so that the gradient of an outlier is ±1 for every beta. beta has the unit of the target.',
  },
});
export default declaration;

/**
 * Smooth L1 loss: d² / (2 beta) for |d| < beta, else |d| - beta / 2, with d = input - target; averaged by default. `beta`
 * (default 1) is at least 0, where it is `l1Loss`. The gradient where they are equal is 0.
 *
 * @example smoothL1Loss(prediction, target, { beta: 0.5 })
 */
export const smoothL1Loss = /* @__PURE__ */ defineLoss(declaration);

/** `smoothL1Loss` as a module. */
export class SmoothL1Loss extends /* @__PURE__ */ lossModule(smoothL1Loss) {}

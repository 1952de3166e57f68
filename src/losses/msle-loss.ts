import wgsl from '../../shaders/losses/msle.wgsl?raw';
import { BROADCAST, declareLoss, defineLoss } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';
import { bits, div, log, log1p } from '../shader/lib.ts';

const leastZero = (v: number): number => (v < 0 ? 0 : v);
/** log(1 + x) - log(1 + t). */
const apart = (x: number, t: number): number =>
  x < t ? -Math.log1p((t - x) / (1 + x)) : Math.log1p((x - t) / (1 + t));

const declaration = /* @__PURE__ */ declareLoss({
  name: 'msleLoss',
  wgsl,
  includes: [bits, div, log, log1p],
  differentiable: ['input'],
  forward: (input, target) => apart(leastZero(input), leastZero(target)) ** 2,
  backward: (input, target, gradOutput) => {
    // As of a clamp, also for NaN.
    if (!(input >= 0)) return [0];
    return [((2 * apart(input, leastZero(target))) / (1 + input)) * gradOutput];
  },
  accuracy: { forward: 9, backward: 7 },
  docs: {
    tex: String.raw`\left(\log(1 + x_+) - \log(1 + y_+)\right)^2\quad v_+ = \max(v, 0)`,
    derivative: String.raw`\frac{2 \left(\log(1 + x_+) - \log(1 + y_+)\right)}{1 + x}`,
    range: String.raw`[0, \infty)`,
    shapes: BROADCAST,
    cite: 'Keras MeanSquaredLogarithmicError; scikit-learn mean_squared_log_error',
    kinks: 'the gradient of an input below 0 is 0; at 0 it is that of the formula',
    use: 'For counts and prices over several orders of magnitude: it measures the ratio of input and target. Predictions that are too low cost more than those that are too high. An input below 0 gets no gradient, so end the model with softplus.',
  },
});
export default declaration;

/**
 * Mean squared logarithmic error: (log(1 + max(input, 0)) - log(1 + max(target, 0)))²; averaged by default. The gradient is
 * that of the input alone, and 0 for an input below 0 (as of a clamp, for NaN too). As Keras MeanSquaredLogarithmicError, which clamps at 1e-7.
 *
 * @example msleLoss(softplus(output), counts)
 */
export const msleLoss = /* @__PURE__ */ defineLoss(declaration);

/** `msleLoss` as a module. */
export class MSLELoss extends /* @__PURE__ */ lossModule(msleLoss) {}

import wgsl from '../../shaders/losses/huber.wgsl?raw';
import { declareLoss, defineLoss } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';

function huberOf(input: number, target: number, delta: number): number {
  const d = Math.abs(input - target);
  return d > delta ? delta * (d - 0.5 * delta) : 0.5 * d * d;
}

const declaration = /* @__PURE__ */ declareLoss({
  name: 'huberLoss',
  wgsl,
  params: {
    /** Where squares become lines; above 0. */
    delta: { default: 1, min: 0, above: true },
  },
  weights: ['weight'],
  weightsLikeInput: true,
  forward: (input, target, weight, { delta }) => weight * huberOf(input, target, delta),
  backward: (input, target, weight, gradOutput, { delta }) => {
    const d = input - target;
    const g = (d > delta ? delta : d < -delta ? -delta : d) * (weight * gradOutput);
    return [g, -g];
  },
  weightBackward: (input, target, _weight, gradOutput, { delta }) => [
    huberOf(input, target, delta) * gradOutput,
  ],
  accuracy: { forward: 3, backward: 2 },
  docs: {
    tex: String.raw`w \begin{cases} \tfrac12 d^2 & |d| \le \delta \\ \delta(|d| - \tfrac12\delta) & |d| > \delta \end{cases}\quad d = x - y`,
    derivative: String.raw`w \min(\max(d, -\delta), \delta)`,
    range: String.raw`[0, \infty)`,
    shapes:
      'input and target broadcast to each other, weight has the shape of input; result: a scalar, or their broadcast shape with reduction `none`',
    torch: 'huber_loss',
    cite: 'Huber 1964, Robust Estimation of a Location Parameter',
    use: 'For regression with outliers. It is quadratic for errors up to delta and linear beyond, so the gradient of an outlier is bounded. delta has the unit of the target.',
  },
});
export default declaration;

/**
 * Huber loss: d²/2 for |d| ≤ delta, else delta · (|d| - delta/2), with d = input - target; averaged by default.
 * `delta` (default 1) is above 0. `weight`, of the input's shape, is a factor of each element and has a gradient too; `mean`
 * divides by the number of elements all the same, as in PyTorch.
 *
 * @example huberLoss(prediction, target, { delta: 0.5 })
 */
export const huberLoss = /* @__PURE__ */ defineLoss(declaration);

/** `huberLoss` as a module. */
export class HuberLoss extends /* @__PURE__ */ lossModule(huberLoss) {}

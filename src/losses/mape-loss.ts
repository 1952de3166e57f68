import wgsl from '../../shaders/losses/mape.wgsl?raw';
import { BROADCAST, declareLoss, defineLoss } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';
import { div } from '../shader/lib.ts';

const declaration = /* @__PURE__ */ declareLoss({
  name: 'mapeLoss',
  wgsl,
  includes: [div],
  params: {
    /** The least size of a target; above 0. */
    eps: { default: 1e-7, min: 0, above: true },
  },
  differentiable: ['input'],
  forward: (input, target, { eps }) =>
    (100 * Math.abs(input - target)) / Math.max(Math.abs(target), eps),
  backward: (input, target, gradOutput, { eps }) => {
    const side = Number(input > target) - Number(input < target);
    return [(100 * side * gradOutput) / Math.max(Math.abs(target), eps)];
  },
  accuracy: { forward: 4, backward: 4 },
  docs: {
    tex: String.raw`100 \frac{|x - y|}{\max(|y|, \varepsilon)}`,
    derivative: String.raw`\frac{100 \operatorname{sign}(x - y)}{\max(|y|, \varepsilon)}`,
    range: String.raw`[0, \infty)`,
    shapes: BROADCAST,
    cite: 'Keras MeanAbsolutePercentageError; Makridakis 1993, Accuracy Measures',
    kinks: 'where input and target are equal, the gradient is 0',
    use: 'For forecasts of positive quantities of very different size, when the relative error counts. Targets near 0 count far more than others: raise eps, or use msleLoss. A prediction that is too low costs at most 100 (percent), so the fit tends to be too low.',
  },
});
export default declaration;

/**
 * Mean absolute percentage error: 100 |input - target| / max(|target|, eps) (`eps` 1e-7, above 0); averaged by default. The
 * gradient is that of the input alone, 0 where both are equal. As Keras MeanAbsolutePercentageError.
 *
 * @example mapeLoss(forecast, sales)
 */
export const mapeLoss = /* @__PURE__ */ defineLoss(declaration);

/** `mapeLoss` as a module. */
export class MAPELoss extends /* @__PURE__ */ lossModule(mapeLoss) {}

import wgsl from '../../shaders/losses/soft-margin.wgsl?raw';
import { toInput } from '../define/arrange.ts';
import { declareLoss, defineLoss } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';
import { bits, div, sigmoid, softplus } from '../shader/lib.ts';
import { logistic, softplusOf } from '../cpu/special.ts';

const declaration = /* @__PURE__ */ declareLoss({
  name: 'softMarginLoss',
  wgsl,
  includes: [bits, div, sigmoid, softplus],
  differentiable: ['input'],
  arrange: toInput,
  forward: (input, target) => softplusOf(-target * input),
  backward: (input, target, gradOutput) => {
    const v = -target * input;
    return [v === Infinity ? NaN : -target * gradOutput * logistic(v)];
  },
  accuracy: { forward: 3, backward: 3 },
  docs: {
    tex: String.raw`\log(1 + e^{-y x})`,
    derivative: String.raw`-y\, \sigma(-y x)`,
    range: String.raw`[0, \infty)`,
    shapes:
      'target broadcasts to input; result: a scalar, or the shape of input with reduction `none`',
    torch: 'soft_margin_loss',
    cite: 'Friedman, Hastie & Tibshirani 2000, Additive Logistic Regression',
    use: 'For two classes whose labels are 1 and -1. For labels 0 and 1 use binaryCrossEntropyWithLogits. The loss of a wrong score grows like |x|, so the gradient of an outlier is bounded.',
  },
});
export default declaration;

/**
 * Logistic loss of scores and targets 1 or -1: log(1 + e^(-target · input)), finite where PyTorch's overflows (from
 * 709 on; at an infinite product the gradient is NaN, as there). The target broadcasts to the input's shape and has no gradient. Averaged by default.
 *
 * @example softMarginLoss(scores, signs)
 */
export const softMarginLoss = /* @__PURE__ */ defineLoss(declaration);

/** `softMarginLoss` as a module. */
export class SoftMarginLoss extends /* @__PURE__ */ lossModule(softMarginLoss) {}

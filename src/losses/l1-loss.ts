import wgsl from '../../shaders/losses/l1.wgsl?raw';
import { declareLoss, defineLoss } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';
import { div } from '../shader/lib.ts';

const declaration = /* @__PURE__ */ declareLoss({
  name: 'l1Loss',
  wgsl,
  includes: [div],
  weights: ['weight'],
  weightsLikeInput: true,
  meanByWeight: true,
  forward: (input, target, weight) => weight * Math.abs(input - target),
  backward: (input, target, weight, gradOutput) => {
    const g = (Number(input > target) - Number(input < target)) * (weight * gradOutput);
    return [g, -g];
  },
  weightBackward: (input, target, _weight, gradOutput) => [Math.abs(input - target) * gradOutput],
  accuracy: { forward: 2, backward: 1 },
  docs: {
    tex: 'w |x - y|',
    derivative: String.raw`w \, \mathrm{sgn}(x - y)`,
    range: String.raw`[0, \infty)`,
    shapes:
      'input and target broadcast to each other, weight has the shape of input (`mean` divides by the sum of the weights); result: a scalar, or the broadcast shape with reduction `none`',
    torch: 'l1_loss',
    cite: 'Boscovich 1757; Laplace 1793',
    kinks: 'the gradient at x = y is 0',
    use: 'For regression with outliers: every error pulls with the same strength, so the fit is a median. The gradient does not become smaller near the optimum; that of huberLoss does.',
  },
});
export default declaration;

/**
 * Absolute error: |input - target|, averaged by default. The gradient where they are equal is 0. `weight`, of the input's
 * shape, is a factor of each element and has a gradient too; `mean` then divides by its sum.
 *
 * @example l1Loss(prediction, target)
 */
export const l1Loss = /* @__PURE__ */ defineLoss(declaration);

/** `l1Loss` as a module. */
export class L1Loss extends /* @__PURE__ */ lossModule(l1Loss) {}

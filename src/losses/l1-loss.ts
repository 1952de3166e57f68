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
      'input and target broadcast to each other, weight of the shape of input (`mean` divides by its sum); result: a scalar, or their broadcast shape for `none`',
    torch: 'l1_loss',
    cite: 'Boscovich 1757; Laplace 1793',
    kinks: '0 at x = y',
    use: 'Regression with outliers: each error weighs the same, and the fit is a median. The gradient does not shrink near the optimum; huberLoss does.',
  },
});
export default declaration;

/**
 * Absolute error: |input - target|, averaged by default. The gradient where they are equal is 0. `weight`, of the input's
 * shape, is a factor of each element and has a gradient too; `mean` then divides by its sum.
 */
export const l1Loss = /* @__PURE__ */ defineLoss(declaration);

/** `l1Loss` as a module. */
export class L1Loss extends /* @__PURE__ */ lossModule(l1Loss) {}

import wgsl from '../../shaders/losses/mse.wgsl?raw';
import { declareLoss, defineLoss } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';
import { div } from '../shader/lib.ts';

const declaration = /* @__PURE__ */ declareLoss({
  name: 'mseLoss',
  wgsl,
  includes: [div],
  weights: ['weight'],
  weightsLikeInput: true,
  meanByWeight: true,
  forward: (input, target, weight) => weight * ((input - target) * (input - target)),
  backward: (input, target, weight, gradOutput) => {
    const g = 2 * (input - target) * (weight * gradOutput);
    return [g, -g];
  },
  weightBackward: (input, target, _weight, gradOutput) => [(input - target) ** 2 * gradOutput],
  accuracy: { forward: 3, backward: 2 },
  docs: {
    tex: 'w (x - y)^2',
    derivative: String.raw`2 w (x - y)`,
    range: String.raw`[0, \infty)`,
    shapes:
      'input and target broadcast to each other, weight has the shape of input (`mean` divides by the sum of the weights); result: a scalar, or the broadcast shape with reduction `none`',
    torch: 'mse_loss',
    cite: 'Legendre 1805; Gauss 1809',
    use: 'The default for regression, right for Gaussian errors. An outlier with an error of r costs r², so a few outliers can decide the fit; l1Loss and huberLoss are robust to them.',
  },
});
export default declaration;

/**
 * Squared error: (input - target)², averaged by default. Gradients for input, target and weight. `weight`, of the input's
 * shape, is a factor of each element; `mean` then divides by its sum.
 *
 * @example mseLoss(input, target, { weight })
 */
export const mseLoss = /* @__PURE__ */ defineLoss(declaration);

/** `mseLoss` as a module. */
export class MSELoss extends /* @__PURE__ */ lossModule(mseLoss) {}

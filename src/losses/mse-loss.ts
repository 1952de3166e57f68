import wgsl from '../../shaders/losses/mse.wgsl?raw';
import { defineLoss } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';

/** Squared error: (input - target)², averaged by default. Gradients for both input and target. */
export const mseLoss = /* @__PURE__ */ defineLoss({
  name: 'mseLoss',
  wgsl,
  forward: (input, target) => (input - target) * (input - target),
  backward: (input, target, gradOutput) => {
    const g = 2 * (input - target) * gradOutput;
    return [g, -g];
  },
  accuracy: { forward: 2, backward: 2 },
  docs: {
    tex: '(x - y)^2',
    derivative: String.raw`2 (x - y)`,
    range: String.raw`[0, \infty)`,
    shapes:
      'input and target broadcast to each other; result: a scalar, or their broadcast shape for `none`',
    torch: 'mse_loss',
    cite: 'Legendre 1805; Gauss 1809',
    use: 'Regression with Gaussian errors. One outlier of size r weighs r²; l1Loss and huberLoss are robust to them.',
  },
});

/** `mseLoss` as a module. */
export class MSELoss extends /* @__PURE__ */ lossModule(mseLoss) {}

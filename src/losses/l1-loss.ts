import wgsl from '../../shaders/losses/l1.wgsl?raw';
import { defineLoss } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';

/** Absolute error: |input - target|, averaged by default. The gradient where they are equal is 0. */
export const l1Loss = /* @__PURE__ */ defineLoss({
  name: 'l1Loss',
  wgsl,
  forward: (input, target) => Math.abs(input - target),
  backward: (input, target, gradOutput) => {
    const g = (Number(input > target) - Number(input < target)) * gradOutput;
    return [g, -g];
  },
  accuracy: { forward: 1, backward: 1 },
  docs: {
    tex: '|x - y|',
    derivative: String.raw`\mathrm{sgn}(x - y)`,
    range: String.raw`[0, \infty)`,
    shapes:
      'input and target broadcast to each other; result: a scalar, or their broadcast shape for `none`',
    torch: 'l1_loss',
    cite: 'Boscovich 1757; Laplace 1793',
    kinks: '0 at x = y',
    use: 'Regression with outliers: each error weighs the same, and the fit is a median. The gradient does not shrink near the optimum; huberLoss does.',
  },
});

/** `l1Loss` as a module. */
export class L1Loss extends /* @__PURE__ */ lossModule(l1Loss) {}

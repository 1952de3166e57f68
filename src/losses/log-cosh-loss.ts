import wgsl from '../../shaders/losses/log-cosh.wgsl?raw';
import { BROADCAST, declareLoss, defineLoss } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';
import { exp, log, tanh } from '../shader/lib.ts';

const declaration = /* @__PURE__ */ declareLoss({
  name: 'logCoshLoss',
  wgsl,
  includes: [exp, log, tanh],
  forward: (input, target) => {
    const d = Math.abs(input - target);
    if (d < 1) return Math.log1p(2 * Math.sinh(d / 2) ** 2);
    return d + (Math.log1p(Math.exp(-2 * d)) - Math.LN2);
  },
  backward: (input, target, gradOutput) => {
    const g = Math.tanh(input - target) * gradOutput;
    return [g, -g];
  },
  accuracy: { forward: 4, backward: 3 },
  docs: {
    tex: String.raw`\log \cosh(x - y)`,
    derivative: String.raw`\tanh(x - y)`,
    range: String.raw`[0, \infty)`,
    shapes: BROADCAST,
    cite: 'Keras LogCosh; Chen, Chen & Chen 2019, Log Hyperbolic Cosine Loss Improves Variational Auto-Encoder',
    use: 'For regression with outliers. It is smooth everywhere: quadratic for small errors and linear for large ones, with no option to choose. It changes from one to the other at errors of about 1, so scale the targets first.',
  },
});
export default declaration;

/**
 * Log-cosh loss: log(cosh(d)) with d = input - target; averaged by default. It is about d²/2 near 0 and |d| - log 2 far
 * from it, and never overflows. Gradient tanh(d), and -tanh(d) for the target. As Keras LogCosh.
 *
 * @example logCoshLoss(prediction, target, { reduction: 'sum' })
 */
export const logCoshLoss = /* @__PURE__ */ defineLoss(declaration);

/** `logCoshLoss` as a module. */
export class LogCoshLoss extends /* @__PURE__ */ lossModule(logCoshLoss) {}

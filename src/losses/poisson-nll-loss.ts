import wgsl from '../../shaders/losses/poisson-nll.wgsl?raw';
import { BROADCAST, declareLoss, defineLoss } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';
import { bits, div, exp, log } from '../shader/lib.ts';

const declaration = /* @__PURE__ */ declareLoss({
  name: 'poissonNllLoss',
  wgsl,
  includes: [bits, div, exp, log],
  params: {
    /** Whether the input is the logarithm of the rate. */
    logInput: true,
    /** Whether Stirling's approximation of the target's term is added. */
    full: false,
    /** Added to a rate of which the logarithm is taken. */
    eps: 1e-8,
  },
  forward: (input, target, { logInput, full, eps }) => {
    const base = logInput
      ? Math.exp(input) - target * input
      : input - target * Math.log(input + eps);
    if (!full || target <= 1) return base;
    return base + (target + 0.5) * Math.log(target) - target + 0.5 * Math.log(2 * Math.PI);
  },
  backward: (input, target, gradOutput, { logInput, full, eps }) => {
    const byInput = logInput ? Math.exp(input) - target : 1 - target / (input + eps);
    let byTarget = logInput ? -input : -Math.log(input + eps);
    // PyTorch masks the result, not the logarithm. Its gradient is therefore NaN for targets that are 0, negative or
    // infinite.
    if (full && (target <= 0 || target === Infinity)) byTarget = NaN;
    else if (full && !(target <= 1)) byTarget += Math.log(target) + 0.5 / target;
    return [byInput * gradOutput, byTarget * gradOutput];
  },
  largestTerm: {
    forward: (input, target, { logInput, full, eps }) => {
      const rate = logInput ? Math.exp(input) : Math.abs(input);
      const product = Math.abs(target * (logInput ? input : Math.log(input + eps)));
      const factorial = full && target > 1 ? (target + 0.5) * Math.max(1, Math.log(target)) : 0;
      return Math.max(rate, product, factorial);
    },
    backward: (input, target, { logInput, full, eps }) => [
      logInput
        ? Math.max(Math.exp(input), Math.abs(target))
        : Math.max(1, Math.abs(target / (input + eps))),
      Math.max(
        Math.abs(logInput ? input : Math.log(input + eps)),
        full && target > 1 ? Math.max(Math.log(target), 0.5 / target) : 0,
      ),
    ],
  },
  accuracy: { forward: 4, backward: 4 },
  docs: {
    tex: String.raw`e^x - y x + [\text{full}, y > 1] \left(y \log y - y + \tfrac12 \log 2 \pi y\right)`,
    derivative: 'e^x - y',
    range: String.raw`(-\infty, \infty)`,
    shapes: BROADCAST,
    torch: 'poisson_nll_loss',
    cite: 'Nelder & Wedderburn 1972, Generalized Linear Models',
    kinks: 'with full, the gradient with respect to y is NaN at y ≤ 0, as in PyTorch',
    use: 'For counts. By default the input is the logarithm of the rate, which keeps the rate positive. Its exponential makes the loss very steep where the input is far too large, so clip gradients. If the variance of the counts is larger than their mean, another model fits better.',
  },
});
export default declaration;

/**
 * Negative log-likelihood of counts under a Poisson distribution: e^input - target · input where the input is the
 * logarithm of the rate (`logInput`, default true), else input - target · log(input + eps) (`eps` 1e-8). `full` (false)
 * adds Stirling's approximation of log target! for targets above 1. Averaged by default.
 *
 * @example poissonNllLoss(logRate, counts)
 */
export const poissonNllLoss = /* @__PURE__ */ defineLoss(declaration);

/** `poissonNllLoss` as a module. */
export class PoissonNLLLoss extends /* @__PURE__ */ lossModule(poissonNllLoss) {}

import wgsl from '../../shaders/losses/kl-div.wgsl?raw';
import { BROADCAST, declareLoss, defineLoss } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';
import { bits, exp, log } from '../shader/lib.ts';

const declaration = /* @__PURE__ */ declareLoss({
  name: 'klDiv',
  wgsl,
  includes: [bits, exp, log],
  params: {
    /** Whether the target holds logarithms too. */
    logTarget: false,
  },
  reductions: ['mean', 'sum', 'none', 'batchmean'],
  forward: (input, target, { logTarget }) => {
    if (logTarget) return Math.exp(target) * (target - input);
    return target === 0 ? -target * input : target * (Math.log(target) - input);
  },
  backward: (input, target, gradOutput, { logTarget }) => {
    const e = Math.exp(target) * gradOutput;
    if (logTarget) return [-e, e * (target - input + 1)];
    // target / target is 1, except at 0 and infinity, where it is NaN like PyTorch's gradient.
    return [-target * gradOutput, (Math.log(target) - input + target / target) * gradOutput];
  },
  largestTerm: {
    forward: (input, target, { logTarget }) =>
      logTarget ? 0 : target * Math.max(Math.abs(Math.log(target)), Math.abs(input)),
    backward: (input, target, { logTarget }) => [
      0,
      logTarget
        ? Math.exp(target) * Math.max(Math.abs(target - input), 1)
        : Math.max(Math.abs(Math.log(target)), Math.abs(input), 1),
    ],
  },
  accuracy: { forward: 3, backward: 4 },
  docs: {
    tex: String.raw`y (\log y - x)`,
    derivative: '-y',
    range: String.raw`(-\infty, \infty)`,
    shapes: BROADCAST,
    torch: 'kl_div',
    cite: 'Kullback & Leibler 1951, On Information and Sufficiency',
    kinks: 'at y = 0 the gradient is 0 with respect to x and NaN with respect to y',
    use: "For distillation and soft labels. The input must be log-probabilities, from logSoftmax. Use reduction 'batchmean'; the default also divides by the number of classes. It punishes an input that gives little probability to what is likely in the target. jsd is symmetric and bounded.",
  },
});
export default declaration;

/**
 * Kullback–Leibler divergence of log-probabilities `input` from probabilities `target`: target (log target - input), 0
 * where the target is 0. With `logTarget` (false) the target is log-probabilities too. Averaged over all elements by
 * default, as in PyTorch; the divergence per example is `reduction: 'batchmean'`, the sum over the first dimension.
 *
 * @example klDiv(logProbs, target, { reduction: 'batchmean' })
 */
export const klDiv = /* @__PURE__ */ defineLoss(declaration);

/** `klDiv` as a module. */
export class KLDivLoss extends /* @__PURE__ */ lossModule(klDiv) {}

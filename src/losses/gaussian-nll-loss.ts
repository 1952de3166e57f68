import wgsl from '../../shaders/losses/gaussian-nll.wgsl?raw';
import { withVariance } from '../define/arrange.ts';
import { declareLoss, defineLoss, type Loss, type LossOptions } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';
import type { Tensor } from '../core/tensor.ts';
import { bits, div, log } from '../shader/lib.ts';

/** Returns NaN for a negative variance. */
const clamped = (variance: number, eps: number): number =>
  variance < 0 ? NaN : variance < eps ? eps : variance;
const HALF_LOG_2_PI = 0.5 * Math.log(2 * Math.PI);
const SPECS: GaussianNllSpecs = { full: false, eps: 1e-6 };

/** The options of `gaussianNllLoss`, with their defaults. */
export type GaussianNllSpecs = Readonly<{
  /** Whether log(2π) / 2 is added. */
  full: boolean;
  /** The least variance. */
  eps: number;
}>;

export interface GaussianNllLoss extends Loss<
  GaussianNllSpecs,
  readonly ['input', 'target', 'variance']
> {
  (
    input: Tensor,
    target: Tensor,
    variance: Tensor | number,
    options?: LossOptions<GaussianNllSpecs>,
  ): Tensor;
}

const declaration = /* @__PURE__ */ declareLoss({
  name: 'gaussianNllLoss',
  wgsl,
  includes: [bits, div, log],
  params: SPECS,
  inputs: ['input', 'target', 'variance'],
  arrange: withVariance,
  numbers: ['variance'],
  domain: { variance: { min: 0, max: Infinity, nan: true } },
  forward: (input, target, variance, { full, eps }) => {
    const v = clamped(variance, eps);
    const d = input - target;
    return 0.5 * (Math.log(v) + (d * d) / v) + (full ? HALF_LOG_2_PI : 0);
  },
  backward: (input, target, variance, gradOutput, { eps }) => {
    const v = clamped(variance, eps);
    const d = input - target;
    const slope = (d / v) * gradOutput;
    return [slope, -slope, (0.5 * (1 - (d * d) / v) * gradOutput) / v];
  },
  largestTerm: {
    forward: (input, target, variance, { full, eps }) => {
      const v = clamped(variance, eps);
      const terms = [Math.abs(0.5 * Math.log(v)), (0.5 * (input - target) ** 2) / v];
      return Math.max(...terms, full ? HALF_LOG_2_PI : 0);
    },
    backward: (input, target, variance, { eps }) => {
      const v = clamped(variance, eps);
      return [0, 0, (0.5 * Math.max(1, (input - target) ** 2 / v)) / v];
    },
  },
  accuracy: { forward: 4, backward: 4 },
  docs: {
    tex: String.raw`\tfrac12 \left(\log v + \frac{(x - y)^2}{v}\right) + [\text{full}] \tfrac12 \log 2 \pi\quad v = \max(\sigma^2, \varepsilon)`,
    derivative: String.raw`\frac{x - y}{v}`,
    range: String.raw`(-\infty, \infty)`,
    shapes:
      'input and target broadcast to each other; variance has the shape of input, or that shape without its last dimension, or with one dimension of size 1, or is a number; result: a scalar, or their shape with reduction `none`',
    torch: 'gaussian_nll_loss',
    cite: 'Nix & Weigend 1994, Estimating the Mean and Variance of the Target Probability Distribution',
    kinks: 'a variance below eps gets the gradient that eps would get',
    use: 'For regression that also predicts how uncertain it is: input and variance are two outputs of the model, the second through softplus. A large variance makes the gradient small, so badly fitted points may never improve; start training with a fixed variance.',
  },
});
export default declaration;

/**
 * Negative log-likelihood of targets under a Gaussian of mean `input` and `variance`: (log v + (input - target)² / v) / 2
 * with v at least `eps` (1e-6), and log(2π) / 2 more with `full` (false). The variance is of the input's shape, of that
 * without its last dimension, or 1 in one dimension; or a number, for all elements. Gradients for all three tensors; that of
 * the variance passes the limit eps as if it were not there. Averaged by default. A negative variance is refused with an
 * `OptionError` where the host knows it, and gives NaN where only a GPU does.
 *
 * @example gaussianNllLoss(input, target, 0.25)
 */
export const gaussianNllLoss = /* @__PURE__ */ defineLoss(declaration) as GaussianNllLoss;

/** `gaussianNllLoss` as a module. */
export class GaussianNLLLoss extends /* @__PURE__ */ lossModule(gaussianNllLoss) {}

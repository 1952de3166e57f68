import wgsl from '../../shaders/losses/epsilon-insensitive.wgsl?raw';
import { BROADCAST, declareLoss, defineLoss } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';

const declaration = /* @__PURE__ */ declareLoss({
  name: 'epsilonInsensitiveLoss',
  wgsl,
  params: {
    /** Errors up to it cost nothing; at least 0. */
    epsilon: { default: 0.1, min: 0 },
  },
  derived: { rest: ({ epsilon }) => epsilon - Math.fround(epsilon) },
  forward: (input, target, { epsilon }) => {
    const over = Math.abs(input - target) - epsilon;
    return over < 0 ? 0 : over;
  },
  backward: (input, target, gradOutput, { epsilon }) => {
    const d = input - target;
    const g = Math.abs(d) > epsilon ? Math.sign(d) * gradOutput : 0;
    return [g, -g];
  },
  largestTerm: {
    forward: (input, target, { epsilon }) => Math.max(Math.abs(input - target), epsilon),
  },
  accuracy: { forward: 2, backward: 1 },
  docs: {
    tex: String.raw`\max(|x - y| - \varepsilon, 0)`,
    derivative: String.raw`\begin{cases} \operatorname{sign}(x - y) & |x - y| > \varepsilon \\ 0 & |x - y| \le \varepsilon \end{cases}`,
    range: String.raw`[0, \infty)`,
    shapes: BROADCAST,
    cite: 'Vapnik 1995, The Nature of Statistical Learning Theory; scikit-learn SVR, SGDRegressor',
    kinks: 'at an error of exactly epsilon the gradient is 0',
    use: 'For regression when errors below epsilon do not matter: only points with larger errors have a gradient. If epsilon is larger than the noise, training stops as soon as all errors are below epsilon.',
  },
});
export default declaration;

/**
 * The loss of support vector regression: max(|d| - epsilon, 0) with d = input - target (`epsilon` 0.1, at least 0); averaged
 * by default. Gradient the sign of d outside of the tube, 0 in it and at its edge. As scikit-learn's SVR.
 *
 * @example epsilonInsensitiveLoss(prediction, target, { epsilon: 0.5 })
 */
export const epsilonInsensitiveLoss = /* @__PURE__ */ defineLoss(declaration);

/** `epsilonInsensitiveLoss` as a module. */
export class EpsilonInsensitiveLoss extends /* @__PURE__ */ lossModule(epsilonInsensitiveLoss) {}

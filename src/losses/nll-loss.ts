import wgsl from '../../shaders/losses/cross-entropy.wgsl?raw';
import { CLASSES, declareClassLoss, defineClassLoss } from '../define/class-loss.ts';
import { lossModule } from '../define/module.ts';

const declaration = /* @__PURE__ */ declareClassLoss({
  name: 'nllLoss',
  wgsl,
  normalised: false,
  soft: false,
  loss: (l) => -l,
  grad: () => -1,
  accuracy: { forward: 8, backward: 2 },
  docs: {
    tex: '-w_y x_y',
    derivative: String.raw`-w_y \delta_{cy}`,
    range: String.raw`(-\infty, \infty)`,
    shapes: CLASSES,
    torch: 'nll_loss',
    cite: 'Fisher 1922, On the Mathematical Foundations of Theoretical Statistics',
    use: 'Use it after logSoftmax when you also need the log-probabilities. Otherwise use crossEntropy, which does both at once and is faster.',
  },
});
export default declaration;

/**
 * Negative log-likelihood of log-probabilities [N, C, d1, …] (from logSoftmax) and class indices. Options: `weight`,
 * `ignoreIndex` (-100), `reduction` ('mean').
 *
 * @example nllLoss(logSoftmax(x, { dim: 1 }), classes)
 */
export const nllLoss = /* @__PURE__ */ defineClassLoss(declaration);

/** `nllLoss` as a module. */
export class NLLLoss extends /* @__PURE__ */ lossModule(nllLoss) {}

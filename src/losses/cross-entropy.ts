import wgsl from '../../shaders/losses/cross-entropy.wgsl?raw';
import { declareClassLoss, defineClassLoss } from '../define/class-loss.ts';
import { lossModule } from '../define/module.ts';

const declaration = /* @__PURE__ */ declareClassLoss({
  name: 'crossEntropy',
  wgsl,
  normalised: true,
  soft: true,
  loss: (l) => -l,
  grad: () => -1,
  accuracy: { forward: 8, backward: 8 },
  docs: {
    tex: String.raw`-w_y \log \frac{e^{x_y}}{\sum_c e^{x_c}}`,
    derivative: String.raw`w_y (\mathrm{softmax}(x)_c - \delta_{cy})`,
    range: String.raw`[0, \infty)`,
    shapes:
      'input [N, C, d1, …] or [C], target (int32) [N, d1, …] or a scalar, or probabilities of the shape of input, weight [C]; result: a scalar, or [N, d1, …] with reduction `none`',
    torch: 'cross_entropy',
    cite: 'Good 1952, Rational Decisions; Bridle 1990; label smoothing: Szegedy et al. 2016',
    use: 'The default for classification. It takes logits. If some classes are rare, use weight or focalLoss. If labels are noisy and the model becomes too confident, use labelSmoothing.',
  },
});
export default declaration;

/**
 * Cross-entropy of logits [N, C, d1, …] and class indices or class probabilities: the negative log-softmax of the target
 * class, in one kernel. Options: `weight`, `ignoreIndex` (-100), `labelSmoothing` (0), `reduction` ('mean').
 *
 * @example crossEntropy(logits, classes, { labelSmoothing: 0.1 })
 */
export const crossEntropy = /* @__PURE__ */ defineClassLoss(declaration);

/** `crossEntropy` as a module. */
export class CrossEntropyLoss extends /* @__PURE__ */ lossModule(crossEntropy) {}

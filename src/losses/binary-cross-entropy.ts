import wgsl from '../../shaders/losses/binary-cross-entropy.wgsl?raw';
import { sameShapes } from '../define/arrange.ts';
import { declareLoss, defineLoss } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';
import { bits, div, log, log1p } from '../shader/lib.ts';

const isProbability = (x: number): boolean => x >= 0 && x <= 1;
/** As in PyTorch, logarithms are clamped, because one infinite loss would make the mean infinite. */
const floored = (logarithm: number): number => (logarithm < -100 ? -100 : logarithm);

const declaration = /* @__PURE__ */ declareLoss({
  name: 'binaryCrossEntropy',
  wgsl,
  includes: [bits, div, log, log1p],
  weights: ['weight'],
  arrange: sameShapes,
  domain: {
    input: { min: 0, max: 1, nan: false },
    target: { min: 0, max: 1, nan: false },
  },
  forward: (input, target, weight) => {
    if (!isProbability(input) || !isProbability(target)) return NaN;
    const [yes, no] = [floored(Math.log(input)), floored(Math.log1p(-input))];
    return -weight * (target * yes + (1 - target) * no);
  },
  backward: (input, target, weight, gradOutput) => {
    if (!isProbability(input) || !isProbability(target)) return [NaN, NaN];
    const g = weight * gradOutput;
    const spread = Math.max(input * (1 - input), 1e-12);
    return [((input - target) / spread) * g, (Math.log1p(-input) - Math.log(input)) * g];
  },
  accuracy: { forward: 3, backward: 3 },
  docs: {
    tex: String.raw`-w \left(y \log x + (1 - y) \log(1 - x)\right)`,
    derivative: String.raw`w \frac{x - y}{\max(x (1 - x), 10^{-12})}`,
    range: String.raw`[0, 100 w]`,
    shapes:
      'input and target of the same shape, weight broadcasts to it; result: a scalar, or that shape with reduction `none`',
    torch: 'binary_cross_entropy',
    cite: 'Good 1952, Rational Decisions',
    kinks:
      'logarithms are limited to -100; where this limit holds, the gradient is that of the loss without the limit',
    use: 'For probabilities that you already have. After a sigmoid use binaryCrossEntropyWithLogits instead: a probability near 1 has lost the digits that the loss needs, and the gradient vanishes. If one class is rare, use weight.',
  },
});
export default declaration;

/**
 * Binary cross-entropy of probabilities and targets of the same shape, both from 0 to 1; averaged by default. Logarithms
 * are at least -100. `weight` is broadcast to the input's shape. Values outside are refused with an `OptionError` where
 * the host knows them, and give NaN where only a GPU does.
 *
 * @example binaryCrossEntropy(sigmoid(x), target)
 */
export const binaryCrossEntropy = /* @__PURE__ */ defineLoss(declaration);

/** `binaryCrossEntropy` as a module. */
export class BCELoss extends /* @__PURE__ */ lossModule(binaryCrossEntropy) {}

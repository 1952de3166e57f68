import wgsl from '../../shaders/losses/binary-cross-entropy-with-logits.wgsl?raw';
import { sameShapes } from '../define/arrange.ts';
import { declareLoss, defineLoss } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';
import { bce, sigmoid, softplus } from '../shader/lib.ts';
import { bceOf, bceShare, logistic, softplusOf } from '../cpu/special.ts';

const declaration = /* @__PURE__ */ declareLoss({
  name: 'binaryCrossEntropyWithLogits',
  wgsl,
  includes: [bce, sigmoid, softplus],
  weights: ['weight', 'posWeight'],
  arrange: sameShapes,
  forward: (input, target, weight, posWeight) => weight * bceOf(input, target, posWeight),
  backward: (input, target, weight, posWeight, gradOutput) => {
    const g = weight * gradOutput;
    const scale = bceShare(target, posWeight) * logistic(-Math.abs(input));
    const byInput = input < 0 ? scale - posWeight * target : 1 - target - scale;
    const line = input < 0 ? -posWeight * input : -input;
    return [byInput * g, (line + (posWeight - 1) * softplusOf(-Math.abs(input))) * g];
  },
  weightBackward: (input, target, weight, posWeight, gradOutput) => [
    bceOf(input, target, posWeight) * gradOutput,
    target * (weight * gradOutput) * softplusOf(-input),
  ],
  largestTerm: {
    forward: (input, target, weight, posWeight) => {
      const line = input < 0 ? posWeight * target * input : (1 - target) * input;
      return (
        weight *
        Math.max(
          Math.abs(line),
          Math.abs(bceOf(input, target, posWeight) + (input < 0 ? line : -line)),
        )
      );
    },
    backward: (input, target, weight, posWeight) => {
      const scale = Math.abs(bceShare(target, posWeight)) * logistic(-Math.abs(input));
      const line = input < 0 ? posWeight * input : input;
      return [
        weight * Math.max(scale, Math.abs(input < 0 ? posWeight * target : 1 - target)),
        weight * Math.max(Math.abs(line), Math.abs(posWeight - 1) * Math.LN2),
      ];
    },
  },
  accuracy: { forward: 4, backward: 3 },
  docs: {
    tex: String.raw`w \left((1 - y) x + (1 + (w_+ - 1) y) \log(1 + e^{-x})\right)`,
    derivative: String.raw`w \left((1 - y) - (1 + (w_+ - 1) y)\, \sigma(-x)\right)`,
    range: String.raw`[0, \infty)`,
    shapes:
      'input and target of the same shape, weight and posWeight broadcast to it; result: a scalar, or that shape with reduction `none`',
    torch: 'binary_cross_entropy_with_logits',
    cite: 'Cox 1958, The Regression Analysis of Binary Sequences',
    use: 'The default for two classes, or for several labels per example. It takes logits. If positives are rare, set posWeight to the number of negatives divided by the number of positives. If most examples are easy, use sigmoidFocalLoss. A wrong label that the model strongly rejects pulls with full weight.',
  },
});
export default declaration;

/**
 * Binary cross-entropy of logits and targets (from 0 to 1) of the same shape: the sigmoid is part of it, so that no
 * logit saturates. Averaged by default. `weight` is a factor of each element, `posWeight` of positive targets; both are
 * broadcast to the input's shape, and have gradients.
 *
 * @example binaryCrossEntropyWithLogits(logits, target, { posWeight })
 */
export const binaryCrossEntropyWithLogits = /* @__PURE__ */ defineLoss(declaration);

/** `binaryCrossEntropyWithLogits` as a module. */
export class BCEWithLogitsLoss extends /* @__PURE__ */ lossModule(binaryCrossEntropyWithLogits) {}

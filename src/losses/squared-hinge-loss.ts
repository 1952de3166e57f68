import wgsl from '../../shaders/losses/squared-hinge.wgsl?raw';
import { BROADCAST, declareLoss, defineLoss } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';

const shortOf = (input: number, target: number): number => {
  const m = 1 - target * input;
  return m < 0 ? 0 : m;
};

const declaration = /* @__PURE__ */ declareLoss({
  name: 'squaredHingeLoss',
  wgsl,
  differentiable: ['input'],
  forward: (input, target) => shortOf(input, target) ** 2,
  backward: (input, target, gradOutput) => [-2 * target * shortOf(input, target) * gradOutput],
  largestTerm: {
    forward: (input, target) => Math.max(1, Math.abs(target * input)) * shortOf(input, target),
    backward: (input, target) => [2 * Math.abs(target) * Math.max(1, Math.abs(target * input))],
  },
  accuracy: { forward: 4, backward: 3 },
  docs: {
    tex: String.raw`\max(1 - y x, 0)^2`,
    derivative: String.raw`-2 y \max(1 - y x, 0)`,
    range: String.raw`[0, \infty)`,
    shapes: BROADCAST,
    cite: 'Keras SquaredHinge; Chang, Hsieh & Lin 2008, Coordinate Descent for Large-scale L2-loss Linear SVM',
    use: 'For two classes with a margin: a linear support vector machine with a smooth loss. Scores are not probabilities. One wrong label far from the margin can outweigh many other examples, because its error is squared.',
  },
});
export default declaration;

/**
 * Squared hinge loss of scores and labels 1 and -1: max(1 - target · input, 0)²; averaged by default. The gradient is that of
 * the input, and has no kink. As Keras SquaredHinge.
 *
 * @example squaredHingeLoss(score, label)
 */
export const squaredHingeLoss = /* @__PURE__ */ defineLoss(declaration);

/** `squaredHingeLoss` as a module. */
export class SquaredHingeLoss extends /* @__PURE__ */ lossModule(squaredHingeLoss) {}

import wgsl from '../../shaders/losses/hinge-embedding.wgsl?raw';
import { BROADCAST, declareLoss, defineLoss } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';

const declaration = /* @__PURE__ */ declareLoss({
  name: 'hingeEmbeddingLoss',
  wgsl,
  params: {
    /** Up to which dissimilar inputs cost. */
    margin: 1,
  },
  differentiable: ['input'],
  forward: (input, target, { margin }) => {
    const m = margin - input;
    return (target === 1 ? 0 : m < 0 ? 0 : m) + (target === -1 ? 0 : input);
  },
  backward: (input, target, gradOutput, { margin }) => {
    const apart = target !== 1 && margin - input >= 0;
    return [(target === -1 ? 0 : gradOutput) - (apart ? gradOutput : 0)];
  },
  // Targets other than 1 and -1 add both terms.
  largestTerm: {
    forward: (input, target, { margin }) =>
      Math.abs(target) === 1 ? 0 : Math.max(Math.abs(input), Math.abs(margin - input)),
  },
  accuracy: { forward: 1, backward: 1 },
  docs: {
    tex: String.raw`\begin{cases} x & y = 1 \\ \max(0, m - x) & y = -1 \end{cases}`,
    derivative: String.raw`\begin{cases} 1 & y = 1 \\ -[x \le m] & y = -1 \end{cases}`,
    range: String.raw`(-\infty, \infty)`,
    shapes: BROADCAST,
    torch: 'hinge_embedding_loss',
    cite: 'Hadsell, Chopra & LeCun 2006, Dimensionality Reduction by Learning an Invariant Mapping',
    kinks: 'for y = -1 the gradient at x = margin is -1',
    use: 'For pairs that are similar (target 1) or not (target -1). The input is the distance of a pair and must not be negative. Dissimilar pairs that are farther apart than the margin teach nothing.',
  },
});
export default declaration;

/**
 * Hinge loss of distances: the input itself where the target is 1, max(0, margin - input) where it is -1 (`margin` 1);
 * any other target adds both. The target has no gradient. Averaged by default.
 *
 * @example hingeEmbeddingLoss(distance, target)
 */
export const hingeEmbeddingLoss = /* @__PURE__ */ defineLoss(declaration);

/** `hingeEmbeddingLoss` as a module. */
export class HingeEmbeddingLoss extends /* @__PURE__ */ lossModule(hingeEmbeddingLoss) {}

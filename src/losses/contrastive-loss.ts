import wgsl from '../../shaders/losses/contrastive.wgsl?raw';
import { declareDistanceLoss, defineDistanceLoss } from '../define/distance-loss.ts';
import { lossModule } from '../define/module.ts';
import type { RowLossOptions } from '../define/reduction.ts';

/** Options of `contrastiveLoss`. */
export interface ContrastiveLossOptions extends RowLossOptions {
  /** How far apart dissimilar vectors must be, at least 0. Defaults to 1. */
  margin?: number;
}

const declaration = /* @__PURE__ */ declareDistanceLoss({
  name: 'contrastiveLoss',
  wgsl,
  params: {
    /** How far apart rows that do not belong together are to be. */
    margin: { default: 1, min: 0 },
  },
  forward: (d, t, { margin }) => (t * d * d + (1 - t) * Math.max(margin - d, 0) ** 2) / 2,
  backward: (d, t, { margin }) => (t === 0 ? 0 : t * d) - (1 - t) * Math.max(margin - d, 0),
  accuracy: { forward: 8, backward: 8 },
  docs: {
    tex: String.raw`\tfrac{t}{2} D^2 + \tfrac{1 - t}{2} \max(0, \mathrm{margin} - D)^2, \quad D = \lVert x_1 - x_2 \rVert`,
    derivative: String.raw`\left(t D - (1 - t) \max(0, \mathrm{margin} - D)\right) \frac{x_1 - x_2}{D}`,
    range: String.raw`[0, \infty)`,
    shapes: 'x1 and x2 [N, D], target [N]; result: a scalar, or [N] with reduction `none`',
    cite: 'Hadsell, Chopra & LeCun 2006, Dimensionality Reduction by Learning an Invariant Mapping',
    kinks: 'the gradient of two equal vectors is 0',
    use: 'For embeddings that are compared by distance, when you know which pairs belong together. Most random pairs are farther apart than the margin and cost nothing, so choose hard pairs. Two equal vectors that should differ get no gradient, so they stay together.',
  },
});
export default declaration;

/**
 * Pulls pairs of vectors [N, D] that are similar together, and pushes others apart up to a margin, by their distance D:
 * t D² / 2 + (1 - t) max(margin - D, 0)² / 2. `target` is [N]: 1 for similar, 0 for dissimilar, or between. Gradients for
 * both vectors; 0 where they are equal, or dissimilar and infinitely far apart. Options: `margin` (1), `reduction` ('mean').
 *
 * @example contrastiveLoss(embed(a), embed(b), same, { margin: 2 })
 */
export const contrastiveLoss =
  /* @__PURE__ */ defineDistanceLoss<ContrastiveLossOptions>(declaration);

/** `contrastiveLoss` as a module. */
export class ContrastiveLoss extends /* @__PURE__ */ lossModule(contrastiveLoss) {}

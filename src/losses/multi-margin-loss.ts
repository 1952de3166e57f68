import wgsl from '../../shaders/losses/multi-margin.wgsl?raw';
import { addTo, at } from '../cpu/rows.ts';
import { declareMarginLoss, defineMarginLoss } from '../define/margin-loss.ts';
import { lossModule } from '../define/module.ts';
import { bits, classStatus } from '../shader/lib.ts';
import type { MarginRow } from '../kernels/margin-loss/plan.ts';

/** Calls `visit` with each class except the target whose score is within the margin, and with its hinge. */
function forEachActive(
  { scores, target }: MarginRow,
  margin: number,
  visit: (z: number, index: number, own: number) => void,
): void {
  const own = at(target, 0);
  const score = at(scores, own);
  for (const [index, x] of scores.entries()) {
    // The difference is computed first. It is exact, so the margin is not lost beside large scores.
    const z = margin + (x - score);
    if (index !== own && z > 0) visit(z, index, own);
  }
}

const isValid = ({ scores, target }: MarginRow): boolean => at(target, 0) in scores;

const declaration = /* @__PURE__ */ declareMarginLoss({
  name: 'multiMarginLoss',
  wgsl,
  includes: [bits, classStatus],
  params: {
    /** The power of each hinge, 1 or 2. */
    p: { default: 1, min: 1, max: 2, integer: true },
    /** By how much the target is to be ahead. */
    margin: 1,
  },
  target: 'class',
  weighted: true,
  loss: (row, { p, margin }) => {
    if (!isValid(row)) return NaN;
    let total = 0;
    forEachActive(row, margin, (z) => {
      total += z ** p;
    });
    return total === 0 ? 0 : row.weightOf(at(row.target, 0)) * total;
  },
  grad: (row, { p, margin }, scores) => {
    if (!isValid(row)) scores.fill(NaN);
    forEachActive(row, margin, (z, index, own) => {
      const slope = row.weightOf(own) * (p === 1 ? 1 : 2 * z);
      scores[index] = slope;
      addTo(scores, own, -slope);
    });
  },
  accuracy: { forward: 3, backward: 3 },
  docs: {
    tex: String.raw`\frac{w_y}{C} \sum_{i \ne y} \max(0, m - x_y + x_i)^p`,
    derivative: String.raw`\frac{w_y}{C}\, p\, z_i^{p - 1} [z_i > 0],\ z_i = m - x_y + x_i;\ \text{at } y \text{ minus their sum}`,
    range: String.raw`[0, \infty)`,
    shapes:
      'input [N, C] or [C], target (int32) [N] or a scalar, weight [C]; result: a scalar, or the shape of target with reduction `none`',
    torch: 'multi_margin_loss',
    cite: 'Weston & Watkins 1998, Multi-Class Support Vector Machines',
    kinks: 'a class whose score is exactly the margin below that of the target has a gradient of 0',
    use: 'Ranks the right class above the others, without probabilities. Examples that are right by more than the margin teach nothing. With p = 1 it is robust to wrong labels, with p = 2 it is not. The gradient becomes smaller with the number of classes.',
  },
});
export default declaration;

/**
 * Multi-class hinge loss of scores [N, C] (or [C]) and int32 class indices [N] (or a scalar): by how much each other class
 * comes within `margin` of the target, to the power `p`, averaged over the classes. Options: `p` (1, or 2), `margin` (1),
 * `weight` [C], `reduction` ('mean').
 *
 * @example multiMarginLoss(scores, classes, { p: 2 })
 */
export const multiMarginLoss = /* @__PURE__ */ defineMarginLoss(declaration);

/** `multiMarginLoss` as a module. */
export class MultiMarginLoss extends /* @__PURE__ */ lossModule(multiMarginLoss) {}

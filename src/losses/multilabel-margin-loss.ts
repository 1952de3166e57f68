import wgsl from '../../shaders/losses/multilabel-margin.wgsl?raw';
import { addTo, at } from '../cpu/rows.ts';
import { declareMarginLoss, defineMarginLoss } from '../define/margin-loss.ts';
import { lossModule } from '../define/module.ts';
import { bits, classStatus } from '../shader/lib.ts';
import type { MarginRow } from '../kernels/margin-loss/plan.ts';

/**
 * Calls `visit` with each pair of a label and a class that is not a label and whose score is within 1 of the label's,
 * and with the hinge of the pair.
 */
function forEachActive(
  { scores, target }: MarginRow,
  visit: (z: number, label: number, index: number) => void,
): void {
  const end = target.findIndex((index) => index < 0);
  const labels = target.subarray(0, end < 0 ? target.length : end);
  const known = new Set(labels);
  for (const [index, x] of scores.entries()) {
    if (known.has(index)) continue;
    for (const label of labels) {
      // The difference is computed first. It is exact, so the margin is not lost beside large scores.
      const z = 1 + (x - at(scores, label));
      if (z > 0) visit(z, label, index);
    }
  }
}

const isValid = ({ scores, target }: MarginRow): boolean =>
  target.every((index) => index >= -1 && index < scores.length);

const declaration = /* @__PURE__ */ declareMarginLoss({
  name: 'multilabelMarginLoss',
  wgsl,
  includes: [bits, classStatus],
  target: 'labels',
  weighted: false,
  loss: (row) => {
    if (!isValid(row)) return NaN;
    let total = 0;
    forEachActive(row, (z) => {
      total += z;
    });
    return total;
  },
  grad: (row, _params, scores) => {
    if (!isValid(row)) scores.fill(NaN);
    forEachActive(row, (_z, label, index) => {
      addTo(scores, index, 1);
      addTo(scores, label, -1);
    });
  },
  accuracy: { forward: 4, backward: 2 },
  docs: {
    tex: String.raw`\frac{1}{C} \sum_{t \in T} \sum_{i \notin T} \max(0, 1 - x_t + x_i)`,
    derivative: String.raw`\frac{1}{C} |\{t : x_i > x_t - 1\}| \text{ for } i \notin T,\ -\frac{1}{C} |\{i : x_i > x_t - 1\}| \text{ for } t \in T`,
    range: String.raw`[0, \infty)`,
    shapes:
      'input and target (int32, labels up to the first -1) [N, C] or [C]; result: a scalar, or [N] with reduction `none`',
    torch: 'multilabel_margin_loss',
    cite: 'Zhang & Zhou 2006, Multilabel Neural Networks',
    kinks: 'a class whose score is exactly 1 below that of a label gets no gradient from this pair',
    use: 'Ranks all labels of an example above the other classes. Pairs that are in order by more than the margin teach nothing. Rows without labels, and rows in which every class is a label, add nothing. A wrong label pulls against every other class.',
  },
});
export default declaration;

/**
 * Multi-label hinge loss of scores [N, C] (or [C]) and int32 lists of labels of the same shape, each ended by -1: by how
 * much each class that is no label comes within 1 of each label, added up and divided by C. A label that is there twice
 * counts twice. Options: `reduction` ('mean').
 *
 * @example multilabelMarginLoss(scores, labels)
 */
export const multilabelMarginLoss = /* @__PURE__ */ defineMarginLoss(declaration);

/** `multilabelMarginLoss` as a module. */
export class MultiLabelMarginLoss extends /* @__PURE__ */ lossModule(multilabelMarginLoss) {}

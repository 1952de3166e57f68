import wgsl from '../../shaders/losses/multilabel-soft-margin.wgsl?raw';
import { at } from '../cpu/rows.ts';
import { declareMarginLoss, defineMarginLoss } from '../define/margin-loss.ts';
import { lossModule } from '../define/module.ts';
import { bits, exp, sigmoid, softplus } from '../shader/lib.ts';

/** ln(1 + e^x) without overflow. */
const softplusOf = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

const declaration = /* @__PURE__ */ declareMarginLoss({
  name: 'multilabelSoftMarginLoss',
  wgsl,
  includes: [bits, exp, sigmoid, softplus],
  target: 'numbers',
  weighted: true,
  loss: ({ scores, target, weightOf }) =>
    scores.reduce((total, x, i) => {
      const y = at(target, i);
      return total + weightOf(i) * (y * softplusOf(-x) + (1 - y) * softplusOf(x));
    }, 0),
  grad: (row, _params, scores, target) => {
    for (const [i, x] of row.scores.entries()) {
      const y = at(row.target, i);
      const w = row.weightOf(i);
      scores[i] = w * ((1 - y) / (1 + Math.exp(-x)) - y / (1 + Math.exp(x)));
      target[i] = -w * x;
    }
  },
  accuracy: { forward: 3, backward: 4 },
  docs: {
    tex: String.raw`-\frac{1}{C} \sum_i w_i \left(y_i \log \sigma(x_i) + (1 - y_i) \log \sigma(-x_i)\right)`,
    derivative: String.raw`\frac{w_i}{C} (\sigma(x_i) - y_i)`,
    range: String.raw`[0, \infty)`,
    shapes:
      'input and target [N, …, C] or [C], weight [C]; result: a scalar, or that shape without its last dimension with reduction `none`',
    torch: 'multilabel_soft_margin_loss',
    cite: 'Cox 1958, The Regression Analysis of Binary Sequences',
    use: 'For several labels per example, each with its own yes or no. It takes logits. If most labels are negative, they count more than the few positive ones: use weight. The loss of a wrong label grows only linearly with its logit.',
  },
});
export default declaration;

/**
 * Cross-entropy of one sigmoid per class, averaged over the classes: of logits [..., C] and targets from 0 to 1 of the same
 * shape. Gradients for both. Options: `weight` [C], `reduction` ('mean' over the rows).
 *
 * @example multilabelSoftMarginLoss(logits, target)
 */
export const multilabelSoftMarginLoss = /* @__PURE__ */ defineMarginLoss(declaration);

/** `multilabelSoftMarginLoss` as a module. */
export class MultiLabelSoftMarginLoss
  extends /* @__PURE__ */ lossModule(multilabelSoftMarginLoss) {}

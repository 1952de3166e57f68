import wgsl from '../../shaders/losses/margin-ranking.wgsl?raw';
import { sameRank } from '../define/arrange.ts';
import { declareLoss, defineLoss } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';

const declaration = /* @__PURE__ */ declareLoss({
  name: 'marginRankingLoss',
  wgsl,
  params: {
    /** By how much the first is to be ahead. */
    margin: 0,
  },
  inputs: ['input1', 'input2', 'target'],
  arrange: sameRank,
  forward: (input1, input2, target, { margin }) => {
    const m = margin - target * (input1 - input2);
    return m < 0 ? 0 : m;
  },
  backward: (input1, input2, target, gradOutput, { margin }) => {
    const d = input1 - input2;
    const g = margin - target * d >= 0 ? gradOutput : 0;
    return [-target * g, target * g, -d * g];
  },
  largestTerm: {
    forward: (input1, input2, target, { margin }) =>
      Math.max(Math.abs(margin), Math.abs(target * (input1 - input2))),
  },
  accuracy: { forward: 2, backward: 1 },
  docs: {
    tex: String.raw`\max(0, m - y (x_1 - x_2))`,
    derivative: String.raw`-y [y (x_1 - x_2) \le m]`,
    range: String.raw`[0, \infty)`,
    shapes:
      'input1, input2 and target of the same rank, broadcast to each other; result: a scalar, or their broadcast shape with reduction `none`',
    torch: 'margin_ranking_loss',
    cite: 'Herbrich, Graepel & Obermayer 2000, Large Margin Rank Boundaries for Ordinal Regression',
    kinks: 'where the loss just reaches 0, the gradient is that of its linear part',
    use: 'For scores of which only the order counts. With margin 0, two equal scores cost nothing, so set a margin. Pairs that are in order by more than the margin teach nothing.',
  },
});
export default declaration;

/**
 * Ranking loss of two scores: max(0, margin - target (input1 - input2)), the target 1 where input1 should rank higher and
 * -1 where lower (`margin` 0). All have the same number of dimensions. Averaged by default.
 *
 * @example marginRankingLoss(better, worse, target, { margin: 0.1 })
 */
export const marginRankingLoss = /* @__PURE__ */ defineLoss(declaration);

/** `marginRankingLoss` as a module. */
export class MarginRankingLoss extends /* @__PURE__ */ lossModule(marginRankingLoss) {}

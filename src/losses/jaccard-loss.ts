import { lossModule } from '../define/module.ts';
import { declareRegionLoss, defineRegionLoss } from '../define/region-loss.ts';

const declaration = /* @__PURE__ */ declareRegionLoss({
  name: 'jaccardLoss',
  weigh: () => ({ alpha: 1, beta: 1 }),
  accuracy: { forward: 8, backward: 16 },
  docs: {
    tex: String.raw`1 - \frac{\sum \min(p, y) + s}{\sum \max(p, y) + s}, \quad p = \mathrm{softmax}(x)`,
    derivative: String.raw`\frac{1}{S} \left([p > y] \frac{T}{S} - [p < y]\right) \frac{\partial p}{\partial x}, \quad T = \sum \min(p, y) + s, \; S = \sum \max(p, y) + s`,
    range: '[0, 1]',
    cite: 'Rahman & Wang 2016, Optimizing Intersection-Over-Union; Wang et al. 2023, Jaccard Metric Losses; segmentation_models_pytorch JaccardLoss',
    use: 'For segmentation that is judged by intersection over union. It has the same minimum as diceWithLogits and punishes small errors more. It is noisy for classes with only a few pixels in a batch.',
  },
});
export default declaration;

/**
 * Jaccard (intersection over union) loss of logits, per class over a batch: 1 - (tp + smooth) / (P + Y - tp + smooth), where P and
 * Y are the sums of predictions p and targets y, and tp of min(p, y). 0 for a class that is in no target. Options: `mode`
 * ('multiclass'; 'multilabel', 'binary'), `fromLogits` (true), `smooth` (0), `eps` (1e-7), `logLoss` (false), `ignoreIndex`
 * (-100), `reduction` ('mean' over the classes).
 *
 * @example jaccardLoss(logits, mask, { mode: 'binary' })
 */
export const jaccardLoss = /* @__PURE__ */ defineRegionLoss(declaration);

/** `jaccardLoss` as a module. */
export class JaccardLoss extends /* @__PURE__ */ lossModule(jaccardLoss) {}

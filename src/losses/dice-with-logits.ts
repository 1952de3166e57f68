import { lossModule } from '../define/module.ts';
import { declareRegionLoss, defineRegionLoss } from '../define/region-loss.ts';

const declaration = /* @__PURE__ */ declareRegionLoss({
  name: 'diceWithLogits',
  weigh: () => ({ alpha: 0.5, beta: 0.5 }),
  accuracy: { forward: 8, backward: 16 },
  docs: {
    tex: String.raw`1 - \frac{2 \sum \min(p, y) + 2 s}{\sum p + \sum y + 2 s}, \quad p = \mathrm{softmax}(x)`,
    derivative: String.raw`\frac{1}{S} \left(\frac{T}{S} - [p < y]\right) \frac{\partial p}{\partial x}, \quad T = \sum \min(p, y) + s, \; S = \frac{\sum p + \sum y}{2} + s`,
    range: '[0, 1]',
    cite: 'Milletari, Navab & Ahmadi 2016, V-Net; Wang et al. 2023, Dice Semimetric Losses; segmentation_models_pytorch DiceLoss',
    use: 'For segmentation from logits when classes differ much in size: every class counts the same. It is noisy for classes with only a few pixels in a batch, and almost flat while nothing overlaps, so it is often added to crossEntropy.',
  },
});
export default declaration;

/**
 * Dice loss of logits, per class over a batch: 1 - (tp + smooth) / ((P + Y) / 2 + smooth), where P and Y are the sums of
 * predictions p and targets y, and tp of min(p, y). 0 for a class that is in no target. Options: `mode` ('multiclass';
 * 'multilabel', 'binary'), `fromLogits` (true), `smooth` (0), `eps` (1e-7), `logLoss` (false), `ignoreIndex` (-100), `reduction`
 * ('mean' over the classes). `diceLoss` takes probabilities, per sample, and overlaps by products.
 *
 * @example diceWithLogits(logits, classes)
 */
export const diceWithLogits = /* @__PURE__ */ defineRegionLoss(declaration);

/** `diceWithLogits` as a module. */
export class DiceWithLogitsLoss extends /* @__PURE__ */ lossModule(diceWithLogits) {}

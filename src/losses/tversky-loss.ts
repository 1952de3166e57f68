import { lossModule } from '../define/module.ts';
import { declareRegionLoss, defineRegionLoss } from '../define/region-loss.ts';

const declaration = /* @__PURE__ */ declareRegionLoss({
  name: 'tverskyLoss',
  params: {
    /** How much false positives weigh. */
    alpha: { default: 0.5, min: 0 },
    /** How much false negatives weigh. */
    beta: { default: 0.5, min: 0 },
  },
  weigh: ({ alpha, beta }) => ({ alpha, beta }),
  accuracy: { forward: 8, backward: 16 },
  docs: {
    tex: String.raw`1 - \frac{T}{S}, \quad T = \sum \min(p, y) + s, \; S = T + \alpha \sum (p - y)^+ + \beta \sum (y - p)^+`,
    derivative: String.raw`\frac{1}{S} \left([p > y] \frac{\alpha T}{S} - [p < y] \frac{S - T + \beta T}{S}\right) \frac{\partial p}{\partial x}`,
    range: '[0, 1]',
    cite: 'Salehi, Erdogmus & Gholipour 2017, Tversky loss function for image segmentation; segmentation_models_pytorch TverskyLoss',
    use: 'For segmentation when missed regions and false alarms are not equally bad. A beta above alpha finds more of small regions, but raises more false alarms. With 0.5 and 0.5 it is the Dice loss, with 1 and 1 the Jaccard loss.',
  },
});
export default declaration;

/**
 * Tversky loss of logits, per class over a batch: 1 - (tp + smooth) / (tp + alpha fp + beta fn + smooth), where tp, fp and fn are
 * the sums of min(p, y), max(p - y, 0) and max(y - p, 0). 0 for a class that is in no target. Options: `alpha` (0.5, false
 * positives), `beta` (0.5, false negatives), `mode` ('multiclass'; 'multilabel', 'binary'), `fromLogits` (true), `smooth` (0), `eps`
 * (1e-7), `logLoss` (false), `ignoreIndex` (-100), `reduction` ('mean' over the classes).
 *
 * @example tverskyLoss(logits, classes, { alpha: 0.3, beta: 0.7 })
 */
export const tverskyLoss = /* @__PURE__ */ defineRegionLoss(declaration);

/** `tverskyLoss` as a module. */
export class TverskyLoss extends /* @__PURE__ */ lossModule(tverskyLoss) {}

import { lossModule } from '../define/module.ts';
import { declareRegionLoss, defineRegionLoss } from '../define/region-loss.ts';

const declaration = /* @__PURE__ */ declareRegionLoss({
  name: 'focalTverskyLoss',
  params: {
    /** How much false positives weigh. */
    alpha: { default: 0.3, min: 0 },
    /** How much false negatives weigh. */
    beta: { default: 0.7, min: 0 },
    /** The power of a class's loss; above 0. */
    gamma: { default: 0.75, min: 0, above: true },
  },
  weigh: (params) => params,
  accuracy: { forward: 12, backward: 16 },
  docs: {
    tex: String.raw`L^\gamma, \quad L = 1 - \frac{T}{S}, \; T = \sum \min(p, y) + s, \; S = T + \alpha \sum (p - y)^+ + \beta \sum (y - p)^+`,
    derivative: String.raw`\frac{\gamma L^{\gamma - 1}}{S} \left([p > y] \frac{\alpha T}{S} - [p < y] \frac{S - T + \beta T}{S}\right) \frac{\partial p}{\partial x}`,
    range: '[0, 1]',
    cite: 'Abraham & Khan 2019, A Novel Focal Tversky Loss Function with Improved Attention U-Net for Lesion Segmentation',
    use: 'For small lesions or objects that tverskyLoss still misses when everything else is right. It is steep near 0, which makes the end of training unstable: let the learning rate fall.',
  },
});
export default declaration;

/**
 * Focal Tversky loss of logits: the Tversky loss of each class to the power gamma. Below 1, gamma keeps the pull of classes that are
 * nearly right; at a loss of 0 the gradient is 0. 0 for a class that is in no target. Options: `alpha` (0.3, false positives), `beta`
 * (0.7, false negatives), `gamma` (0.75, above 0), `mode` ('multiclass'; 'multilabel', 'binary'), `fromLogits` (true), `smooth` (0),
 * `eps` (1e-7), `logLoss` (false), `ignoreIndex` (-100), `reduction` ('mean' over the classes).
 *
 * @example focalTverskyLoss(logits, classes, { gamma: 4 / 3 })
 */
export const focalTverskyLoss = /* @__PURE__ */ defineRegionLoss(declaration);

/** `focalTverskyLoss` as a module. */
export class FocalTverskyLoss extends /* @__PURE__ */ lossModule(focalTverskyLoss) {}

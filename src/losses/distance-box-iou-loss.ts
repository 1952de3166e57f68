import wgsl from '../../shaders/losses/distance-box-iou.wgsl?raw';
import { declareBoxLoss, defineBoxLoss } from '../define/box-loss.ts';
import { lossModule } from '../define/module.ts';
import { centerDistance } from '../kernels/pair-rows/boxes-reference.ts';
import { centerDistance as centerDistanceText, rowBoxes } from '../kernels/rows/sources.ts';

const declaration = /* @__PURE__ */ declareBoxLoss({
  name: 'distanceBoxIouLoss',
  wgsl,
  includes: [rowBoxes, centerDistanceText],
  penalty: centerDistance,
  accuracy: { forward: 8, backward: 8 },
  docs: {
    tex: String.raw`1 - \frac{I}{U} + \frac{d^2}{W^2 + H^2}`,
    derivative: String.raw`\frac{I\, U' - U\, I'}{U^2} + \left(\frac{d^2}{W^2 + H^2}\right)'`,
    range: '[0, 2)',
    shapes: 'boxes1 and boxes2 [N, 4] or [4]; result: [N] or a scalar',
    cite: 'Zheng et al. 2020, Distance-IoU Loss (arXiv 1911.08287); torchvision.ops',
    kinks: 'where a coordinate of the two boxes is equal, its gradient is halved',
    use: 'For the boxes of a detector, when generalizedBoxIouLoss learns too slowly: boxes that do not overlap move straight towards each other. If two boxes have the same centre, only their overlap counts, not their shape; completeBoxIouLoss also compares the shape.',
  },
});
export default declaration;

/**
 * Distance IoU loss of boxes (x1, y1, x2, y2), [N, 4] or [4]: 1 - iou + d² / (W² + H² + eps), d the distance of the centres, W
 * and H the sides of the smallest box that holds both, iou = intersection / (union + eps), `eps` 1e-7. One loss per pair by
 * default (`reduction: 'none'`); the mean of no pairs is 0. Gradient of `boxes1`; equal coordinates pass half of it. As
 * torchvision.ops.distance_box_iou_loss.
 *
 * @example distanceBoxIouLoss(predicted, boxes, { reduction: 'sum' })
 */
export const distanceBoxIouLoss = /* @__PURE__ */ defineBoxLoss(declaration);

/** `distanceBoxIouLoss` as a module. */
export class DistanceBoxIoULoss extends /* @__PURE__ */ lossModule(distanceBoxIouLoss) {}

import wgsl from '../../shaders/losses/generalized-box-iou.wgsl?raw';
import { declareBoxLoss, defineBoxLoss } from '../define/box-loss.ts';
import { lossModule } from '../define/module.ts';
import type { Four } from '../kernels/pair-rows/boxes-reference.ts';
import { rowBoxes } from '../kernels/rows/sources.ts';
import { div } from '../shader/lib.ts';

const declaration = /* @__PURE__ */ declareBoxLoss({
  name: 'generalizedBoxIouLoss',
  wgsl,
  includes: [div, rowBoxes],
  penalty: ({ outer: [w, h], union, eps, dOuter, dArea, dIntersection }) => {
    const value = (w * h - union) / (w * h + eps);
    const grad = dOuter.map((d, i) => {
      const dOuterArea = d * (i % 2 === 0 ? h : w);
      return (dOuterArea * (1 - value) - (dArea[i] ?? 0) + (dIntersection[i] ?? 0)) / (w * h + eps);
    });
    return { value, grad: grad as unknown as Four };
  },
  accuracy: { forward: 8, backward: 8 },
  docs: {
    tex: String.raw`1 - \frac{I}{U} + \frac{C - U}{C}`,
    derivative: String.raw`\frac{I\, U' - U\, I'}{U^2} + \frac{U\, C' - C\, U'}{C^2}`,
    range: '[0, 2]',
    shapes: 'boxes1 and boxes2 [N, 4] or [4]; result: [N] or a scalar',
    cite: 'Rezatofighi et al. 2019, Generalized Intersection over Union; torchvision.ops',
    kinks: 'where a coordinate of the two boxes is equal, its gradient is halved',
    use: 'For the boxes of a detector. It measures the overlap independently of the size of the boxes, and boxes that do not overlap still get a gradient. Such boxes first grow until they touch, which is slow; distanceBoxIouLoss moves them instead.',
  },
});
export default declaration;

/**
 * Generalised IoU loss of boxes (x1, y1, x2, y2), [N, 4] or [4]: 1 - iou + (c - union) / (c + eps), c the area of the smallest
 * box that holds both, iou = intersection / (union + eps), `eps` 1e-7. One loss per pair by default (`reduction: 'none'`); the
 * mean of no pairs is 0. Gradient of `boxes1`; equal coordinates pass half of it. As torchvision.ops.generalized_box_iou_loss.
 *
 * @example generalizedBoxIouLoss(predicted, boxes, { reduction: 'mean' })
 */
export const generalizedBoxIouLoss = /* @__PURE__ */ defineBoxLoss(declaration);

/** `generalizedBoxIouLoss` as a module. */
export class GeneralizedBoxIoULoss extends /* @__PURE__ */ lossModule(generalizedBoxIouLoss) {}

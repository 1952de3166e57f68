import wgsl from '../../shaders/losses/complete-box-iou.wgsl?raw';
import { declareBoxLoss, defineBoxLoss } from '../define/box-loss.ts';
import { lossModule } from '../define/module.ts';
import { centerDistance } from '../kernels/pair-rows/boxes-reference.ts';
import { centerDistance as centerDistanceText, rowBoxes } from '../kernels/rows/sources.ts';
import { atan, div } from '../shader/lib.ts';

const FACTOR = 4 / Math.PI ** 2;

const declaration = /* @__PURE__ */ declareBoxLoss({
  name: 'completeBoxIouLoss',
  wgsl,
  includes: [atan, div, rowBoxes, centerDistanceText],
  penalty: (boxes) => {
    const { value, grad } = centerDistance(boxes);
    const { size1, size2, iou, eps } = boxes;
    const [w, h] = size1;
    const angle = Math.atan(size2[0] / size2[1]) - Math.atan(w / h);
    const v = FACTOR * angle * angle;
    const alpha = v / (1 - iou + v + eps);
    const slope = (-2 * FACTOR * alpha * angle) / (w * w + h * h);
    const [x, y] = [slope * h, -slope * w];
    return {
      value: value + alpha * v,
      grad: [grad[0] - x, grad[1] - y, grad[2] + x, grad[3] + y],
    };
  },
  accuracy: { forward: 8, backward: 8 },
  docs: {
    tex: String.raw`1 - \frac{I}{U} + \frac{d^2}{W^2 + H^2} + \alpha v\quad v = \tfrac{4}{\pi^2} \left(\arctan \tfrac{w_2}{h_2} - \arctan \tfrac{w_1}{h_1}\right)^2`,
    derivative: String.raw`\frac{I\, U' - U\, I'}{U^2} + \left(\frac{d^2}{W^2 + H^2}\right)' + \alpha v'`,
    range: '[0, 3)',
    shapes: 'boxes1 and boxes2 [N, 4] or [4]; result: [N] or a scalar',
    cite: 'Zheng et al. 2020, Distance-IoU Loss (arXiv 1911.08287); torchvision.ops',
    kinks: 'where a coordinate of the two boxes is equal, its gradient is halved',
    use: 'The usual loss for the boxes of a detector. It is distanceBoxIouLoss with a term for the ratio of width to height. This term counts little until the boxes overlap. A box with width 0 and height 0 has no such ratio: its loss is NaN.',
  },
});
export default declaration;

/**
 * Complete IoU loss of boxes (x1, y1, x2, y2), [N, 4] or [4]: distanceBoxIouLoss plus alpha v, where v = 4/π² (atan(w2/h2) -
 * atan(w1/h1))² and alpha = v / (1 - iou + v + eps), through which no gradient goes; `eps` 1e-7. One loss per pair by default
 * (`reduction: 'none'`); the mean of no pairs is 0. Gradient of `boxes1`; equal coordinates pass half of it. As
 * torchvision.ops.complete_box_iou_loss.
 *
 * @example completeBoxIouLoss(predicted, boxes, { reduction: 'mean' })
 */
export const completeBoxIouLoss = /* @__PURE__ */ defineBoxLoss(declaration);

/** `completeBoxIouLoss` as a module. */
export class CompleteBoxIoULoss extends /* @__PURE__ */ lossModule(completeBoxIouLoss) {}

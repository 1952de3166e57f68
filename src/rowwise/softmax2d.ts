import { isRecording } from '../core/autograd.ts';
import { optionalModule } from '../define/module.ts';
import { defineOp } from '../define/op.ts';
import { ShapeError } from '../core/errors.ts';
import { formatShape } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkOut, checkTensors } from '../core/validate.ts';
import { checkOptionNames } from '../core/validate-options.ts';
import { softmax } from './softmax.ts';

function apply(
  x: Tensor,
  options: {
    /** Written instead of a new tensor. Only where no gradient is recorded. */
    out?: Tensor;
  } = {},
): Tensor {
  checkOptionNames('softmax2d', options, ['out']);
  checkTensors('softmax2d', { x });
  if (x.rank !== 3 && x.rank !== 4) {
    throw new ShapeError({
      op: 'softmax2d',
      argument: 'x',
      expected: 'shape [C, H, W] or [N, C, H, W]',
      received: `shape ${formatShape(x.shape)}`,
    });
  }
  checkOut('softmax2d', options.out, x, isRecording([x]));
  return softmax(x, { ...options, dim: -3 });
}

/**
 * Softmax over the channels of each pixel: along dimension -3 of `x`, [C, H, W] or [N, C, H, W].
 *
 * @example softmax2d(images)
 */
export const softmax2d = /* @__PURE__ */ defineOp(apply, {
  op: 'softmax2d',
  kind: 'rowwise',
  params: {},
  accuracy: { forward: 6, backward: 8 },
  docs: {
    tex: String.raw`\frac{e^{x_{chw}}}{\sum_k e^{x_{khw}}}`,
    derivative: String.raw`\partial y_i / \partial x_j = y_i (\delta_{ij} - y_j)`,
    range: String.raw`[0, 1]`,
    torch: 'Softmax2d',
    cite: 'Bridle 1990, Probabilistic Interpretation of Feedforward Classification Network Outputs',
    use: 'Class probabilities for each pixel of an image. To compute a loss, give the logits to crossEntropy instead.',
  },
  prepare: (device, dtype) => softmax.prepare(device, dtype),
});

/** `softmax2d` as a module. */
export class Softmax2d extends /* @__PURE__ */ optionalModule(softmax2d) {}

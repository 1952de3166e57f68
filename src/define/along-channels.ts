// Shapes of learned numbers of an activation: one for all elements, one per channel, or of any shape that broadcasts.
import { ShapeError } from '../core/errors.ts';
import { formatShape, type Shape } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkBroadcastsTo } from '../core/validate.ts';

/**
 * The shape as which a learned tensor is broadcast to `x`. One of at most one dimension has one element, or one per channel,
 * dimension 1 of `x`, as in PyTorch; others broadcast to the shape of `x`, as in ONNX.
 */
export function alongChannels(op: string, argument: string, x: Tensor, learned: Tensor): Shape {
  if (learned.rank > 1) {
    checkBroadcastsTo(op, argument, learned, x.shape);
    return learned.shape;
  }
  const channels = x.rank > 1 ? (x.shape[1] ?? 1) : 1;
  if (!(learned.size === 1 || (x.rank > 0 && learned.size === channels))) {
    throw new ShapeError({
      op,
      argument,
      expected: `${
        channels === 1 ? 'shape [1]' : `shape [1] or [${channels}] (the channels of x)`
      }, or two dimensions or more that broadcast to x`,
      received: `shape ${formatShape(learned.shape)} for x of shape ${formatShape(x.shape)}`,
    });
  }
  return learned.size === 1 ? [] : [channels, ...x.shape.slice(2).map(() => 1)];
}

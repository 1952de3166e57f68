// Shapes of learned numbers of an activation: one for all elements, one per channel, or of any shape that broadcasts.
import { ShapeError } from '../core/errors.ts';
import { formatShape, sizeOf, type Shape } from '../core/shape.ts';
import { checkBroadcastsTo } from '../core/validate.ts';

/**
 * The shape as which a learned tensor is broadcast to `x`. One of at most one dimension has one element, or one per channel,
 * dimension 1 of `x`, as in PyTorch; others broadcast to the shape of `x`, as in ONNX.
 */
export function alongChannels(
  op: string,
  argument: string,
  x: { readonly shape: Shape },
  learned: { readonly shape: Shape },
): Shape {
  const [rank, size] = [x.shape.length, sizeOf(learned.shape)];
  if (learned.shape.length > 1) {
    checkBroadcastsTo(op, argument, learned, x.shape);
    return learned.shape;
  }
  const channels = rank > 1 ? (x.shape[1] ?? 1) : 1;
  if (!(size === 1 || (rank > 0 && size === channels))) {
    throw new ShapeError({
      op,
      argument,
      expected: `${
        channels === 1 ? 'shape [1]' : `shape [1] or [${channels}] (the channels of x)`
      }, or two dimensions or more that broadcast to x`,
      received: `shape ${formatShape(learned.shape)} for x of shape ${formatShape(x.shape)}`,
    });
  }
  return size === 1 ? [] : [channels, ...x.shape.slice(2).map(() => 1)];
}

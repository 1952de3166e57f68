// The masks of attention modules, in PyTorch's sense: checked, and merged into one that says for each score what becomes of it.
import { OptionError, ShapeError } from '../core/errors.ts';
import { formatShape, sameShape, type Shape } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkDevice, checkSameDType, checkShapeIs, checkTensor } from '../core/validate.ts';
import { checkBoolean } from '../core/validate-options.ts';
import { add } from '../math/arithmetic.ts';
import { cat } from '../math/cat.ts';
import { full } from '../math/factories.ts';
import { reshape } from '../math/reshape.ts';
import { where } from '../math/where.ts';

/** Extents of the scores, as the caller sees them: without the keys that a module adds. */
export interface ScoreExtents {
  /** 1 of inputs without a batch. */
  readonly batch: number;
  readonly heads: number;
  readonly rows: number;
  readonly keys: number;
  /** Whether the inputs have a batch dimension. */
  readonly batched: boolean;
}

export interface Masks {
  readonly attnMask: Tensor | null;
  readonly keyPaddingMask: Tensor | null;
}

/** Checks masks, of int32 (nonzero: not attended to) or of the dtype of the query (added). */
export function checkMasks(
  op: string,
  { attnMask, keyPaddingMask }: Masks,
  isCausal: boolean,
  query: Tensor,
  extents: ScoreExtents,
): void {
  const { batch, heads, rows, keys, batched } = extents;
  checkBoolean(op, 'isCausal', isCausal);
  if (keyPaddingMask !== null) {
    checkMask(op, 'keyPaddingMask', keyPaddingMask, query);
    checkShapeIs(op, 'keyPaddingMask', keyPaddingMask, batched ? [batch, keys] : [keys]);
  }
  if (attnMask === null) {
    if (!isCausal) return;
    throw new OptionError({
      op,
      argument: 'isCausal',
      expected: 'a mask that it is a hint about',
      received: 'none',
      hint: 'isCausal says that the mask is the causal one, as in PyTorch',
    });
  }
  checkMask(op, 'attnMask', attnMask, query);
  const shapes: readonly Shape[] = [
    [rows, keys],
    [batch * heads, rows, keys],
  ];
  if (shapes.some((shape) => sameShape(shape, attnMask.shape))) return;
  throw new ShapeError({
    op,
    argument: 'attnMask',
    expected: `shape ${shapes.map((shape) => formatShape(shape)).join(' or ')}`,
    received: `shape ${formatShape(attnMask.shape)}`,
  });
}

function checkMask(op: string, argument: string, mask: Tensor, query: Tensor): void {
  checkTensor(op, argument, mask, ['int32', 'float32', 'float16']);
  checkDevice(op, argument, mask, query.device);
  if (mask.dtype !== 'int32') checkSameDType(op, argument, mask, query.dtype);
}

/**
 * One mask of both, as `scaledDotProductAttention` takes it: of int32, nonzero where a score counts, if both are; else what is
 * added to the scores. It broadcasts to [batch, heads, rows, keys + extra]: the `extra` keys at the end are always attended to.
 */
export function mergeMasks(
  { attnMask, keyPaddingMask }: Masks,
  { batch, heads, rows, keys }: ScoreExtents,
  extra: number,
): Tensor | null {
  const padding = keyPaddingMask && reshape(keyPaddingMask, [batch, 1, 1, keys]);
  const shape = [batch, heads, rows, keys];
  const attn = attnMask?.rank === 3 ? reshape(attnMask, shape) : attnMask;
  const all = [attn, padding].filter((mask) => mask !== null);
  const [first] = all;
  if (!first) return null;
  const { device } = first;
  const dtype = all.find((mask) => mask.dtype !== 'int32')?.dtype ?? 'int32';
  const scalar = (value: number): Tensor => full([], value, { dtype, device });
  const merged =
    dtype === 'int32'
      ? all.reduce((keep, ignored) => where(ignored, 0, keep), scalar(1))
      : all
          .map((mask) => (mask.dtype === 'int32' ? where(mask, scalar(-Infinity), 0) : mask))
          .reduce((sum, mask) => add(sum, mask));
  if (extra === 0) return merged;
  const columns = full([...merged.shape.slice(0, -1), extra], dtype === 'int32' ? 1 : 0, {
    dtype,
    device,
  });
  return cat([merged, columns], { dim: -1 });
}

// Results that are written over the input, as PyTorch's `inplace`: what is refused, and how they are recorded.
import { record, type BackwardFn } from '../core/autograd.ts';
import { AutogradError, OptionError } from '../core/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkBoolean } from '../core/validate-options.ts';

/** Options of functions that can write over their input. */
export interface InPlaceOption {
  /**
   * Whether the result is written over `x`, which is returned. An op that has saved `x` for its backward pass then throws there. A leaf
   * with requiresGrad is refused where gradients are recorded, and so is memory that a reshaped tensor of the graph shares.
   */
  inplace?: boolean;
}

/** Whether the result is written over x. Throws where it cannot be. */
export function checkInPlace(
  op: string,
  { inplace = false, out }: { inplace?: unknown; out?: unknown },
  x: Tensor,
  recording: boolean,
): boolean {
  checkBoolean(op, 'inplace', inplace);
  if (!inplace) return false;
  if (out !== undefined) {
    const expected = 'no out beside inplace';
    throw new OptionError({ op, argument: 'inplace', expected, received: 'both' });
  }
  if (!recording) return true;
  const received =
    x.requiresGrad && !x.node
      ? 'a leaf with requiresGrad'
      : x.storage(op).aliased
        ? 'memory that a reshaped tensor of the graph shares'
        : null;
  if (received === null) return true;
  throw new AutogradError({
    op,
    argument: 'inplace',
    expected: 'the result of an op, in memory of its own',
    received,
    hint: 'leave inplace out, or use noGrad',
  });
}

/** Records that `x` was written over: it is the result of the op now. Its node of before stays a part of the graph. */
export function recordInPlace(
  x: Tensor,
  op: string,
  inputs: readonly Tensor[],
  saved: readonly Tensor[],
  backward: BackwardFn,
): Tensor {
  const before = x.node;
  record(x, op, inputs, saved, backward);
  if (x.node !== before) before?.release();
  return x;
}

// Checks the targets of a classification loss, and tells the caller how to correct a wrong call.
import { capturing } from './capturing.ts';
import { describe } from './describe.ts';
import { IndexOutOfRangeError, ShapeError } from './errors.ts';
import { formatShape, sameShape, sizeOf, type Shape } from './shape.ts';
import type { Tensor } from './tensor.ts';
import { checkShapeIs, CLASS_INDICES } from './validate.ts';

/** Checks class indices, one for each row. Scores with the classes on the last dimension, as in other frameworks, get a hint of their own. */
export function checkIndexShape(
  op: string,
  target: { readonly shape: Shape },
  input: { readonly shape: Shape },
  rowShape: Shape,
): void {
  const lead = input.shape.slice(0, -1);
  if (
    sameShape(target.shape, rowShape) ||
    input.shape.length < 3 ||
    !sameShape(target.shape, lead)
  ) {
    checkShapeIs(op, 'target', target, rowShape);
    return;
  }
  const rows = sizeOf(lead);
  throw new ShapeError({
    op,
    argument: 'target',
    expected: `shape ${formatShape(rowShape)} for an input of shape ${formatShape(input.shape)}`,
    received: `shape ${formatShape(target.shape)}`,
    hint: `classes are on dimension 1: move them there, or reshape the input to ${formatShape([rows, input.shape.at(-1) ?? 1])} and the target to [${rows}]`,
  });
}

/** Checks class probabilities of shape `shape`. A tensor with the shape of class indices was probably meant as class indices. */
export function checkProbabilityShape(
  op: string,
  target: { readonly shape: Shape },
  shape: Shape,
  rowShape: Shape,
): void {
  if (!sameShape(target.shape, rowShape) || sameShape(shape, rowShape)) {
    checkShapeIs(op, 'target', target, shape);
    return;
  }
  throw new ShapeError({
    op,
    argument: 'target',
    expected: `class probabilities of shape ${formatShape(shape)}`,
    received: describe(target),
    hint: CLASS_INDICES,
  });
}

/**
 * Checks class indices that the host knows. Others are checked on the GPU, and the next read throws the error. Returns how
 * many are not ignored, or null if only the GPU knows.
 */
export function checkClassIndices(
  op: string,
  target: Tensor,
  classes: number,
  ignoreIndex: number,
): number | null {
  const storage = target.storage(op, 'target');
  if (storage.host) return countOf(op, storage.host, classes, ignoreIndex);
  // A captured step has other targets each time: it is captured for those without any that are ignored, or counts on the GPU.
  const whole = capturing()?.concludes(
    storage,
    (host) => countOf(op, host, classes, ignoreIndex) === host.length,
  );
  return whole ? target.size : null;
}

function countOf(op: string, host: Int32Array, classes: number, ignoreIndex: number): number {
  let count = 0;
  for (const index of host) {
    if (index === ignoreIndex) continue;
    count++;
    if (index < 0 || index >= classes) {
      throw new IndexOutOfRangeError({
        op,
        argument: 'target',
        expected: `class indices from 0 to ${classes - 1}`,
        received: String(index),
      });
    }
  }
  return count;
}

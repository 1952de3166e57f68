// Checks the arguments of ctcLoss and finds the shapes that its kernel needs. CtcLengths and labels that only the GPU
// knows are checked there, and the next read throws the error.
import { describe } from '../core/describe.ts';
import { DTypeError, IndexOutOfRangeError, ShapeError } from '../core/errors.ts';
import type { CtcArgs } from '../kernels/ctc/args.ts';
import { formatShape, sameShape, sizeOf, type Shape } from '../core/shape.ts';
import { Tensor } from '../core/tensor.ts';
import { checkDevice, checkTensor } from '../core/validate.ts';
import { checkNumber } from '../core/validate-options.ts';

/** One length for each batch element: an int32 tensor, or numbers. */
export type CtcLengths = Tensor | readonly number[] | Int32Array;

/** The options that are numbers. */
export const CTC_SPECS = { blank: { default: 0, min: 0, integer: true } } as const;

type Layout = Pick<CtcArgs, 'steps' | 'batch' | 'classes' | 'stride' | 'labels' | 'longest'>;

/** The numbers if the host knows them, else null. */
type Known = ArrayLike<number> | null;

/** What has a shape. */
interface Seen {
  readonly shape: Shape;
}

/** The extents that follow from shapes; `most` is how many labels a sequence may have. */
export function sequenceLayout(
  op: string,
  logProbs: Seen,
  targets: Seen,
  blank: number,
): Omit<Layout, 'longest'> & {
  readonly single: boolean;
  readonly padded: boolean;
  readonly most: number;
} {
  const { shape } = logProbs;
  const single = shape.length === 2;
  const [steps = 0, batch = 0, classes = 0] = single ? [shape[0], 1, shape[1]] : shape;
  if ((!single && shape.length !== 3) || steps === 0 || classes === 0) {
    throw new ShapeError({
      op,
      argument: 'logProbs',
      expected: 'shape [T, N, C] or [T, C], with steps and classes',
      received: formatShape(shape),
    });
  }
  checkNumber(op, 'blank', blank, { min: 0, max: classes - 1, integer: true });
  const padded = targets.shape.length === 2;
  if (targets.shape.length !== 1 && !(padded && targets.shape[0] === batch)) {
    throw new ShapeError({
      op,
      argument: 'targets',
      expected: `shape [${batch}, S], or all labels in one dimension`,
      received: formatShape(targets.shape),
    });
  }
  const labels = sizeOf(targets.shape);
  const stride = padded ? (targets.shape[1] ?? 0) : single ? labels : 0;
  const most = padded || single ? stride : labels;
  return { steps, batch, classes, stride, labels, single, padded, most };
}

export function checkSequences(
  op: string,
  logProbs: Tensor,
  targets: Tensor,
  inputLengths: CtcLengths,
  targetLengths: CtcLengths,
  blank: number,
): Layout {
  checkTensor(op, 'logProbs', logProbs);
  checkTensor(op, 'targets', targets, ['int32']);
  const { device } = logProbs;
  checkDevice(op, 'targets', targets, device);
  for (const [argument, lengths] of Object.entries({ inputLengths, targetLengths })) {
    if (lengths instanceof Tensor || !isNumbers(lengths)) {
      checkTensor(op, argument, lengths, ['int32']);
      checkDevice(op, argument, lengths, device);
    }
  }
  device.check(op);

  const { single, padded, most, ...layout } = sequenceLayout(op, logProbs, targets, blank);
  const { steps, batch, classes, stride } = layout;
  checkLengths(op, 'inputLengths', inputLengths, batch, single, steps);
  const known = checkLengths(op, 'targetLengths', targetLengths, batch, single, most);
  checkTotal(op, targets, known, padded || single);
  checkLabels(op, targets, known, stride, classes);
  const longest = known ? Array.from(known).reduce((a, b) => Math.max(a, b), 0) : most;
  // A target with more labels than steps has no path.
  return { ...layout, longest: Math.min(longest, steps) };
}

function isNumbers(lengths: CtcLengths): boolean {
  const values: unknown = lengths;
  return (
    values instanceof Int32Array ||
    (Array.isArray(values) && values.every((value) => typeof value === 'number'))
  );
}

/** The lengths if the host knows them. Each must be from 0 to `most`. */
function checkLengths(
  op: string,
  argument: string,
  lengths: CtcLengths,
  batch: number,
  single: boolean,
  most: number,
): Known {
  const shape = lengths instanceof Tensor ? lengths.shape : [lengths.length];
  if (!sameShape(shape, [batch]) && !(single && shape.length === 0)) {
    throw new ShapeError({
      op,
      argument,
      expected: `shape [${batch}]`,
      received: formatShape(shape),
    });
  }
  const known = lengths instanceof Tensor ? lengths.storage(op, argument).host : lengths;
  if (!known) return null;
  for (const length of Array.from(known)) {
    if (!Number.isInteger(length)) {
      throw new DTypeError({ op, argument, expected: 'integers', received: describe(length) });
    }
    if (length < 0 || length > most) {
      throw new IndexOutOfRangeError({
        op,
        argument,
        expected: `lengths from 0 to ${most}`,
        received: String(length),
      });
    }
  }
  return known;
}

/** Checks that concatenated sequences together have as many labels as `targets` has elements. */
function checkTotal(op: string, targets: Tensor, known: Known, apart: boolean): void {
  if (!known || apart) return;
  const total = Array.from(known).reduce((a, b) => a + b, 0);
  if (total === targets.size) return;
  throw new ShapeError({
    op,
    argument: 'targets',
    expected: `${total} labels, as targetLengths say`,
    received: formatShape(targets.shape),
  });
}

/** Checks the labels that the host knows, except those in the padding, which may have any value. */
function checkLabels(
  op: string,
  targets: Tensor,
  known: Known,
  stride: number,
  classes: number,
): void {
  const { host } = targets.storage(op, 'targets');
  if (!host || !known) return;
  let next = 0;
  for (const [n, length] of Array.from(known).entries()) {
    const from = stride > 0 ? n * stride : next;
    next += length;
    for (const label of host.subarray(from, from + length)) {
      if (label >= 0 && label < classes) continue;
      throw new IndexOutOfRangeError({
        op,
        argument: 'targets',
        expected: `labels from 0 to ${classes - 1}`,
        received: String(label),
      });
    }
  }
}

// In: the status words kernels wrote. Out: the error they stand for, if any.
import { IndexOutOfRangeError, type NonlinError } from '../errors.ts';

/** Written by kernels that meet a class index out of range: flag, op, index, number of classes. */
export const STATUS_BYTES = 16;

const ops: string[] = [''];

/** The number under which kernels report `op`. */
export function statusCode(op: string): number {
  const known = ops.indexOf(op);
  return known > 0 ? known : ops.push(op) - 1;
}

export function statusError(bytes: ArrayBuffer): NonlinError | null {
  const [flag = 0, code = 0] = new Uint32Array(bytes);
  if (flag === 0) return null;
  const [, , index = 0, classes = 0] = new Int32Array(bytes);
  return new IndexOutOfRangeError({
    op: ops[code] ?? 'unknown op',
    argument: 'target',
    expected: `class indices from 0 to ${String(classes - 1)}`,
    received: String(index),
  });
}

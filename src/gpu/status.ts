// The status words that kernels write, and the errors that these stand for.
import { IndexOutOfRangeError, OptionError, type NonlinError } from '../core/errors.ts';

/**
 * The words that a kernel writes if an index or length is out of range: a flag, the op, the value, and the bound that
 * it must be below.
 */
export const STATUS_BYTES = 16;

const ops: string[] = [''];

/** The number that identifies `op` in the status words. */
export function statusCode(op: string): number {
  const known = ops.indexOf(op);
  return known > 0 ? known : ops.push(op) - 1;
}

/** For each flag, the argument that is out of range and the name of its values. */
const FLAGS: Readonly<Record<number, readonly [argument: string, values: string]>> = {
  1: ['target', 'class indices'],
  2: ['targets', 'labels'],
  3: ['inputLengths', 'lengths'],
  4: ['targetLengths', 'lengths'],
  5: ['indices', 'indices'],
};

/** The flag of a norm that is to be finite and is not. */
const NOT_FINITE = 6;

export function statusError(bytes: ArrayBuffer): NonlinError | null {
  const [flag = 0, code = 0] = new Uint32Array(bytes);
  if (flag === 0) return null;
  const [, , value = 0, bound = 0] = new Int32Array(bytes);
  if (flag === NOT_FINITE) {
    return new OptionError({
      op: ops[code] ?? 'unknown op',
      argument: 'errorIfNonfinite',
      expected: 'gradients with a finite norm',
      received: value === 0 ? 'Infinity' : 'NaN',
    });
  }
  const [argument, values] = FLAGS[flag] ?? ['target', 'class indices'];
  return new IndexOutOfRangeError({
    op: ops[code] ?? 'unknown op',
    argument,
    expected: `${values} from 0 to ${bound - 1}`,
    received: String(value),
  });
}

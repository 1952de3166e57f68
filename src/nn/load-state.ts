// Copies a state into tensors by name: all or nothing.
import { noGrad } from '../core/autograd.ts';
import { isFloat } from '../core/dtype.ts';
import { DTypeError, OptionError } from '../core/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkDevice, checkSameDType, checkShapeIs, checkTensor } from '../core/validate.ts';
import { checkBoolean, checkOptionNames } from '../core/validate-options.ts';
import { copyAll } from '../kernels/pointwise/basic.ts';

/** Options of `loadStateDict`. */
export interface LoadStateOptions {
  /** Whether names must be the same on both sides. Defaults to true. */
  strict?: boolean;
  /** Whether float16 and float32 are converted into each other; what is beyond float16 becomes an infinity. Defaults to false. */
  cast?: boolean;
}

/** Names of one side only. */
export interface LoadStateResult {
  /** Names of the module that the state has not. */
  missingKeys: string[];
  /** Names of the state that the module has not. */
  unexpectedKeys: string[];
}

const OP = 'loadStateDict';

export function loadState(
  own: Readonly<Record<string, Tensor>>,
  state: Readonly<Record<string, Tensor>>,
  options: LoadStateOptions,
): LoadStateResult {
  checkOptionNames(OP, options, ['strict', 'cast']);
  const { strict = true, cast = false } = options;
  checkBoolean(OP, 'strict', strict);
  checkBoolean(OP, 'cast', cast);
  const missingKeys = Object.keys(own).filter((name) => !Object.hasOwn(state, name));
  const unexpectedKeys = Object.keys(state).filter((name) => !Object.hasOwn(own, name));
  if (strict && (missingKeys.length > 0 || unexpectedKeys.length > 0)) {
    throw new OptionError({
      op: OP,
      argument: 'state',
      expected: `the names ${Object.keys(own).join(', ') || '(none)'}`,
      received: [
        missingKeys.length > 0 ? `none of ${missingKeys.join(', ')}` : '',
        unexpectedKeys.length > 0 ? `unknown ${unexpectedKeys.join(', ')}` : '',
      ]
        .filter((part) => part !== '')
        .join('; '),
      hint: 'or { strict: false }',
    });
  }
  const there = Object.entries(own).filter(([name]) => Object.hasOwn(state, name));
  const pairs = there.map(([name, to]): [Tensor, Tensor] => {
    const from = state[name];
    to.storage(OP, name);
    to.device.check(OP);
    checkTensor(OP, name, from, ['float32', 'float16', 'int32']);
    checkDevice(OP, name, from, to.device);
    if (isFloat(from.dtype) && isFloat(to.dtype)) checkFloats(name, from, to, cast);
    else checkSameDType(OP, name, from, to.dtype);
    checkShapeIs(OP, name, from, to.shape);
    return [from, to];
  });
  noGrad(() => {
    copyAll(pairs.filter(([from, to]) => from !== to));
  });
  return { missingKeys, unexpectedKeys };
}

function checkFloats(name: string, from: Tensor, to: Tensor, cast: boolean): void {
  if (cast || from.dtype === to.dtype) return;
  throw new DTypeError({
    op: OP,
    argument: name,
    expected: `a ${to.dtype} tensor`,
    received: from.dtype,
    hint: 'or { cast: true }',
  });
}

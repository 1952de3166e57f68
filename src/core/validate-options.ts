// Checks the options of a call, and throws a typed error for what is wrong.
import { describe, kindOf } from './describe.ts';
import { OptionError } from './errors.ts';
import { isTensor } from './is-tensor.ts';

/** An object literal, or one without a prototype. */
export function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** An object of names and values. An array, a Map or a tensor is refused, because it would look like an object without options. */
export function checkIsOptions(op: string, options: unknown): asserts options is object {
  if (kindOf(options) !== 'Object' || isTensor(options)) {
    throw new OptionError({
      op,
      argument: 'options',
      expected: 'an object',
      received: describe(options),
    });
  }
}

/** Refuses option names that the op does not have, so that a misspelt option is not ignored. */
export function checkOptionNames(
  op: string,
  options: unknown,
  known: readonly string[],
  hint?: string,
): void {
  checkIsOptions(op, options);
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new OptionError({
        op,
        argument: name,
        expected: `one of the options ${known.join(', ') || '(none)'}`,
        received: 'an unknown option',
        ...(hint === undefined ? {} : { hint }),
      });
    }
  }
}

/** Between which numbers an option has to be. */
export interface NumberRange {
  /** The smallest. */
  readonly min?: number;
  /** The largest. */
  readonly max?: number;
  /** Whether `min` itself is excluded. */
  readonly above?: boolean;
  /** Whether `max` itself is excluded. */
  readonly below?: boolean;
  /** Whether it has to be an integer. */
  readonly integer?: boolean;
  /** Whether 0 is excluded. */
  readonly nonzero?: boolean;
}

/** A number, not NaN, within the range. */
export function checkNumber(
  op: string,
  argument: string,
  value: unknown,
  range: NumberRange = {},
): void {
  const { min = -Infinity, max = Infinity, above = false, below = false } = range;
  const { integer = false, nonzero } = range;
  const inRange =
    typeof value === 'number' &&
    (below ? value < max : value <= max) &&
    (above ? value > min : value >= min) &&
    (!integer || Number.isInteger(value)) &&
    (!nonzero || value !== 0);
  if (!inRange) {
    const bounds = [
      min > -Infinity ? `${above ? 'above' : 'of at least'} ${min}` : '',
      max < Infinity ? `${below ? 'below' : 'at most'} ${max}` : '',
      nonzero ? 'other than 0' : '',
    ].filter((part) => part !== '');
    throw new OptionError({
      op,
      argument,
      expected: `${integer ? 'an integer' : 'a number'} ${bounds.join(' and ')}`.trim(),
      received: describe(value),
    });
  }
}

/** An object that is recognised by a method. Each window of a browser has its own classes, and Node has none of them. */
export function checkHas(
  op: string,
  argument: string,
  value: unknown,
  method: string,
  expected: string,
): void {
  const object = (typeof value === 'object' || typeof value === 'function') && value !== null;
  if (object && typeof Reflect.get(value, method) === 'function') return;
  throw new OptionError({ op, argument, expected, received: describe(value) });
}

export function checkFunction(op: string, argument: string, value: unknown): void {
  if (typeof value !== 'function')
    throw new OptionError({ op, argument, expected: 'a function', received: describe(value) });
}

/** The result of a function that must be synchronous, because it would do the rest of its work outside of the scope or recording. */
export function checkSynchronous(op: string, result: unknown): void {
  if (result instanceof Object && 'then' in result && typeof result.then === 'function') {
    // The caller gets the error below, so nobody handles a rejection of the promise.
    void Promise.resolve(result).catch(() => undefined);
    throw new OptionError({
      op,
      argument: 'fn',
      expected: 'a synchronous function',
      received: 'one that returns a promise',
    });
  }
}

/** The two ends of an interval. */
export function checkOrder(
  op: string,
  [lowerName, lower]: readonly [string, number],
  [upperName, upper]: readonly [string, number],
): void {
  if (lower > upper) {
    throw new OptionError({
      op,
      argument: lowerName,
      expected: `at most ${upperName} (${upper})`,
      received: String(lower),
    });
  }
}

export function checkBoolean(
  op: string,
  argument: string,
  value: unknown,
): asserts value is boolean {
  if (typeof value !== 'boolean') {
    throw new OptionError({ op, argument, expected: 'true or false', received: describe(value) });
  }
}

export function checkOneOf<T extends string>(
  op: string,
  argument: string,
  value: unknown,
  choices: readonly T[],
): asserts value is T {
  if (!choices.includes(value as T)) {
    throw new OptionError({
      op,
      argument,
      expected: choices.map((choice) => `'${choice}'`).join(' | '),
      received: describe(value),
    });
  }
}

/** The arguments of `device.prepare`. */
export function checkPrepare(ops: unknown, options: unknown): void {
  checkOptionNames('device.prepare', options, ['dtype']);
  const { dtype } = options as { dtype?: unknown };
  if (dtype !== undefined) checkOneOf('device.prepare', 'dtype', dtype, ['float32', 'float16']);
  if (!Array.isArray(ops)) {
    throw new OptionError({
      op: 'device.prepare',
      argument: 'ops',
      expected: 'an array of ops, such as [relu]',
      received: describe(ops),
    });
  }
  Array.from<unknown>(ops).forEach((op, i) => {
    checkHas('device.prepare', `ops[${i}]`, op, 'prepare', 'an op, such as relu');
  });
}

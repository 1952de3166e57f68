// In: options that a user passed. Out: nothing, or a typed error naming op, argument, expected and received.
import { OptionError } from './errors.ts';
import { formatShape } from './shape.ts';
import { Tensor } from './tensor.ts';

export function describe(value: unknown): string {
  if (value instanceof Tensor)
    return `a ${value.dtype} tensor of shape ${formatShape(value.shape)}`;
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return `[${value.map(describe).join(', ')}]`;
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** Refuses option names that the op does not have: a misspelt option must not pass in silence. */
export function checkOptionNames(op: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || options instanceof Tensor) {
    throw new OptionError({
      op,
      argument: 'options',
      expected: 'an object',
      received: describe(options),
    });
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new OptionError({
        op,
        argument: name,
        expected: `one of the options ${known.join(', ') || '(none)'}`,
        received: 'an unknown option',
      });
    }
  }
}

export interface NumberRange {
  readonly min?: number;
  readonly max?: number;
  /** Whether `min` itself is excluded. */
  readonly above?: boolean;
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
  const { min = -Infinity, max = Infinity, above = false, integer = false, nonzero } = range;
  const inRange =
    typeof value === 'number' &&
    value <= max &&
    (above ? value > min : value >= min) &&
    (!integer || Number.isInteger(value)) &&
    (!nonzero || value !== 0);
  if (!inRange) {
    const bounds = [
      min > -Infinity ? `${above ? 'above' : 'at least'} ${String(min)}` : '',
      max < Infinity ? `at most ${String(max)}` : '',
      nonzero ? 'other than 0' : '',
    ].filter((part) => part !== '');
    throw new OptionError({
      op,
      argument,
      expected: [integer ? 'an integer' : 'a number', ...bounds].join(' '),
      received: describe(value),
    });
  }
}

/** The result of a function that must not go on later: what it does then would be outside. */
export function checkSynchronous(op: string, result: unknown): void {
  if (result instanceof Promise) {
    throw new OptionError({
      op,
      argument: 'fn',
      expected: 'a synchronous function',
      received: 'one that returns a promise',
    });
  }
}

/** Two numbers that bound an interval. */
export function checkOrder(
  op: string,
  [lowerName, lower]: readonly [string, number],
  [upperName, upper]: readonly [string, number],
): void {
  if (lower > upper) {
    throw new OptionError({
      op,
      argument: lowerName,
      expected: `at most ${upperName} (${String(upper)})`,
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

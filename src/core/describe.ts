// Says in words what a value is, for error messages.
import { isTensor } from './is-tensor.ts';
import { formatShape } from './shape.ts';

/** The largest number of elements of a list, and of characters of a string, that a message shows. */
const MOST_SHOWN = 8;
const LONGEST_SHOWN = 40;

/** A noun with its article: `an` before the sound of a vowel, with which `Uint8Array` does not begin. */
export function withArticle(noun: string): string {
  return `${/^[aeio]/i.test(noun) ? 'an' : 'a'} ${noun}`;
}

/** The kind of an object, as JavaScript names it: `Map`, `Int8Array`, `GPUBuffer`, `Object`. */
export function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** "an int32 tensor of shape [2]", "a Map", "an array of length 1000", "[1.5, 4]". Never walks into a value. */
export function describe(value: unknown): string {
  if (isTensor(value))
    return `${withArticle(value.dtype)} tensor of shape ${formatShape(value.shape)}`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${String(value)}n`;
  if (typeof value === 'string') {
    return value.length > LONGEST_SHOWN
      ? `a string of ${value.length} characters`
      : JSON.stringify(value);
  }
  if (Array.isArray(value)) {
    const short = value.length <= MOST_SHOWN && !value.some((item) => item instanceof Object);
    return short
      ? `[${Array.from(value, describe).join(', ')}]`
      : `an array of length ${value.length}`;
  }
  if (typeof value !== 'object' || value === null) return String(value);
  const kind = kindOf(value);
  return kind === 'Object' ? 'an object' : withArticle(kind);
}

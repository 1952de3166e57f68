// Reads the header of a safetensors file, and checks it against the format's rules and the file's length.
import { describe, kindOf } from './core/describe.ts';
import { OptionError } from './core/errors.ts';
import type { Shape } from './core/shape.ts';
import { isPlain } from './core/validate-options.ts';

/** The bytes of a file, as a caller may have them. */
export type Bytes = ArrayBufferLike | ArrayBufferView;

/** A `Uint8Array` over an `ArrayBuffer`; compilers before TypeScript 5.7 know it as `Uint8Array` alone. */
export type FileBytes = ReturnType<Uint8ArrayConstructor['of']>;

/** Bytes before the header: its length. */
export const PREFIX = 8;
export const METADATA = '__metadata__';
/** The same limit as in the format's own library. */
const LONGEST_HEADER = 100_000_000;

export interface Entry {
  readonly dtype: string;
  readonly shape: Shape;
  readonly data_offsets: readonly [number, number];
}

/** What a header says: tensors in the order of the header, and texts. */
export interface Header {
  readonly entries: readonly (readonly [name: string, entry: Entry])[];
  readonly texts: Record<string, string>;
}

/** A file in memory: its header, and the bytes behind it. */
export function parse(op: string, file: Bytes): Header & { readonly body: Uint8Array } {
  const bytes = bytesOf(op, file);
  if (bytes.length < PREFIX) throw broken(op, `one of ${bytes.length} bytes`);
  const start = PREFIX + headerLength(op, bytes, bytes.length);
  const body = bytes.subarray(start);
  const header = headerOf(op, bytes.slice(PREFIX, start));
  checkCover(op, header.entries, body.length);
  return { ...header, body };
}

/** Bytes of the header, from the first bytes of a file of `size` bytes. */
export function headerLength(op: string, prefix: Uint8Array, size: number): number {
  const view = new DataView(prefix.buffer, prefix.byteOffset, PREFIX);
  const length = Number(view.getBigUint64(0, true));
  if (length > LONGEST_HEADER || PREFIX + length > size) {
    const file = size < Infinity ? ` in a file of ${size}` : '';
    throw broken(op, `a header of ${length} bytes${file}`);
  }
  return length;
}

/** A header from its bytes. */
export function headerOf(op: string, bytes: Uint8Array): Header {
  const { [METADATA]: texts = {}, ...rest } = parseHeader(op, bytes);
  checkTexts(op, METADATA, texts);
  const entries = Object.entries(rest).map(([name, entry]): [string, Entry] => {
    if (!isEntry(entry))
      throw broken(op, `an entry "${name}" without dtype, shape and data_offsets`);
    return [name, entry];
  });
  return { entries, texts };
}

function bytesOf(op: string, file: unknown): Uint8Array {
  try {
    if (ArrayBuffer.isView(file))
      return new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
    // Told by its name, as a buffer of another window is of another class.
    if (/^(Shared)?ArrayBuffer$/.test(kindOf(file))) return new Uint8Array(file as ArrayBuffer);
  } catch {
    // Detached: refused below.
  }
  throw new OptionError({
    op,
    argument: 'file',
    expected: 'an ArrayBuffer or a view of one, not detached',
    received: describe(file),
  });
}

function parseHeader(op: string, bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw broken(op, 'a header that is not UTF-8', cause);
  }
  try {
    header = JSON.parse(text);
  } catch (cause) {
    throw broken(op, 'a header that is not JSON', cause);
  }
  if (!isPlain(header)) throw broken(op, 'a header that is not an object');
  const twice = repeatedKey(text);
  if (twice !== undefined) throw broken(op, `"${twice}" twice in its header`);
  return header;
}

/** A name that comes twice in an object of a valid JSON text: `JSON.parse` keeps the last without a word. */
function repeatedKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  for (const [token] of json.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"(?:\s*:)?|[{}]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (token.endsWith(':')) {
      const key = JSON.parse(token.slice(0, token.lastIndexOf('"') + 1)) as string;
      if (open.at(-1)?.has(key)) return key;
      open.at(-1)?.add(key);
    }
  }
  return undefined;
}

/** Entries lie one behind the other and fill the file, as the format asks: no byte is in two of them, or in none. */
export function checkCover(op: string, entries: Header['entries'], end: number): void {
  const inOrder = byOffset(entries);
  let at = 0;
  for (const [name, { data_offsets: offsets }] of inOrder) {
    const [from, to] = offsets;
    const where = `"${name}" at bytes ${from} to ${to}`;
    if (!(to >= from && to <= end)) throw broken(op, `${where} of ${end}`);
    if (from < at) throw broken(op, `${where}, which overlaps another tensor`);
    if (from > at) throw broken(op, `${where}, with a hole before it`);
    at = to;
  }
  if (at < end) throw broken(op, `bytes after the last tensor, from ${at} to ${end}`);
}

/** Entries as they lie in the file. */
export function byOffset(entries: Header['entries']): Header['entries'] {
  return entries.toSorted(
    ([, { data_offsets: a }], [, { data_offsets: b }]) => a[0] - b[0] || a[1] - b[1],
  );
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false;
  const { dtype, shape, data_offsets: offsets } = value as Partial<Record<keyof Entry, unknown>>;
  return (
    typeof dtype === 'string' &&
    Array.isArray(shape) &&
    shape.every(isCount) &&
    Array.isArray(offsets) &&
    offsets.length === 2 &&
    offsets.every(isCount)
  );
}

export function checkTexts(
  op: string,
  argument: string,
  texts: unknown,
): asserts texts is Record<string, string> {
  const wrong = isPlain(texts)
    ? Object.entries(texts).find(([, text]) => typeof text !== 'string')
    : [argument, texts];
  if (!wrong) return;
  throw new OptionError({
    op,
    argument,
    expected: 'strings by name',
    received: isPlain(texts) ? `${describe(wrong[1])} for ${describe(wrong[0])}` : describe(texts),
  });
}

export function broken(op: string, received: string, cause?: unknown): OptionError {
  return new OptionError(
    { op, argument: 'file', expected: 'a safetensors file', received },
    cause === undefined ? undefined : { cause },
  );
}

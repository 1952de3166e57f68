// In: tensors by name, or the bytes of a safetensors file. Out: the other of the two, in PyTorch's names and layouts.
import { currentDevice } from './current.ts';
import type { Device } from './device.ts';
import { BYTES, encode, fromHalf, type DType } from './dtype.ts';
import { DTypeError, OptionError } from './errors.ts';
import { sizeOf, type Shape } from './shape.ts';
import { fromHost, type Tensor } from './tensor.ts';
import { checkIsDevice, checkTensor } from './validate.ts';
import { checkOptionNames } from './validate-options.ts';

/** Bytes before the header: its length. */
const PREFIX = 8;
const ALIGNMENT = 8;
/** As in the format's own library. */
const LONGEST_HEADER = 100_000_000;
const METADATA = '__metadata__';

/** The file's name of a dtype, its bytes, what it becomes here, and how an element is read. */
interface Format {
  readonly bytes: number;
  readonly dtype: DType;
  readonly read: (view: DataView, at: number) => number;
}

const FORMATS: Readonly<Record<string, Format>> = {
  F32: { bytes: 4, dtype: 'float32', read: (view, at) => view.getFloat32(at, true) },
  F16: { bytes: 2, dtype: 'float16', read: (view, at) => fromHalf(view.getUint16(at, true)) },
  I32: { bytes: 4, dtype: 'int32', read: (view, at) => view.getInt32(at, true) },
  F64: { bytes: 8, dtype: 'float32', read: (view, at) => view.getFloat64(at, true) },
  BF16: { bytes: 2, dtype: 'float32', read: brainFloat },
  I64: { bytes: 8, dtype: 'int32', read: (view, at) => Number(view.getBigInt64(at, true)) },
  I16: { bytes: 2, dtype: 'int32', read: (view, at) => view.getInt16(at, true) },
  U16: { bytes: 2, dtype: 'int32', read: (view, at) => view.getUint16(at, true) },
  I8: { bytes: 1, dtype: 'int32', read: (view, at) => view.getInt8(at) },
  U8: { bytes: 1, dtype: 'int32', read: (view, at) => view.getUint8(at) },
  BOOL: { bytes: 1, dtype: 'int32', read: (view, at) => view.getUint8(at) },
};
const NAMES: Readonly<Record<DType, string>> = { float32: 'F32', float16: 'F16', int32: 'I32' };

/** The upper half of a float32. */
function brainFloat(view: DataView, at: number): number {
  const single = new DataView(new ArrayBuffer(4));
  single.setUint16(0, view.getUint16(at, true));
  return single.getFloat32(0);
}

interface Entry {
  readonly dtype: string;
  readonly shape: Shape;
  readonly data_offsets: readonly [number, number];
}

export interface SaveOptions {
  /** Text by name, kept in the file's header. */
  metadata?: Readonly<Record<string, string>>;
}

export interface LoadOptions {
  /** Defaults to the device of the latest `init()`. */
  device?: Device;
}

/**
 * A safetensors file of tensors by name, as `safetensors.torch.save` makes it: `await save(model.stateDict())`. float32,
 * float16 and int32 are kept as they are. Throws `DTypeError` for what is not a tensor.
 */
export async function save(
  tensors: Readonly<Record<string, Tensor>>,
  options: SaveOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  checkOptionNames('safetensors.save', options, ['metadata']);
  const named = Object.entries(tensors);
  for (const [name, from] of named) checkTensor('safetensors.save', name, from, DTYPES);
  // wide elements first, so that all of them are aligned
  named.sort(([a, x], [b, y]) => BYTES[y.dtype] - BYTES[x.dtype] || (a < b ? -1 : 1));
  const parts = await Promise.all(
    named.map(async ([name, from]) => {
      const { dtype, shape } = from;
      // encoded again: reading widens float16
      return { name, dtype, shape, host: encode(dtype, await from.data()) };
    }),
  );
  const header: Record<string, unknown> = options.metadata ? { [METADATA]: options.metadata } : {};
  let end = 0;
  for (const { name, dtype, shape, host } of parts) {
    header[name] = {
      dtype: NAMES[dtype],
      shape,
      data_offsets: [end, (end += host.byteLength)],
    };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  // blanks up to where the numbers may start
  const length = Math.ceil(text.length / ALIGNMENT) * ALIGNMENT;
  const file = new Uint8Array(PREFIX + length + end).fill(0x20, PREFIX, PREFIX + length);
  new DataView(file.buffer).setBigUint64(0, BigInt(length), true);
  file.set(text, PREFIX);
  let at = PREFIX + length;
  for (const { host } of parts) {
    file.set(new Uint8Array(host.buffer, host.byteOffset, host.byteLength), at);
    at += host.byteLength;
  }
  return file;
}

const DTYPES: readonly DType[] = ['float32', 'float16', 'int32'];

/**
 * The tensors of a safetensors file by name, for `model.loadStateDict`. F32, F16 and I32 are kept; BF16 becomes float32
 * exactly, F64 by rounding; integers and booleans become int32, and must fit. Throws `OptionError` for what is no such
 * file and `DTypeError` for other dtypes; no tensor is made then.
 */
export function load(
  file: Uint8Array | ArrayBuffer,
  options: LoadOptions = {},
): Record<string, Tensor> {
  checkOptionNames('safetensors.load', options, ['device']);
  const { device = currentDevice() } = options;
  checkIsDevice('safetensors.load', device);
  const { view, entries, start } = parse(file);
  const decoded = entries.map(([name, entry]) => ({
    name,
    shape: entry.shape,
    ...decode(name, entry, view, start),
  }));
  return Object.fromEntries(
    decoded.map(({ name, shape, dtype, values }) => [
      name,
      fromHost(encode(dtype, values), shape, dtype, device),
    ]),
  );
}

/** The texts that a file's header carries. */
export function metadata(file: Uint8Array | ArrayBuffer): Record<string, string> {
  return parse(file).texts;
}

function parse(file: Uint8Array | ArrayBuffer) {
  const bytes = file instanceof Uint8Array ? file : new Uint8Array(file);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length < PREFIX ? Infinity : Number(view.getBigUint64(0, true));
  const start = PREFIX + length;
  if (length > LONGEST_HEADER || start > bytes.length) {
    throw broken(`a header of ${String(length)} bytes in a file of ${String(bytes.length)}`);
  }
  const header = parseHeader(bytes.subarray(PREFIX, start));
  const { [METADATA]: texts = {}, ...rest } = header;
  const entries = Object.entries(rest).map(([name, entry]): [string, Entry] => {
    if (!isEntry(entry)) throw broken(`an entry "${name}" without dtype, shape and data_offsets`);
    const [from, to] = entry.data_offsets;
    if (!(from >= 0 && to >= from && to <= bytes.length - start)) {
      throw broken(`"${name}" at bytes ${String(from)} to ${String(to)}, past the end of the file`);
    }
    return [name, entry];
  });
  return { view, entries, start, texts: texts as Record<string, string> };
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw broken('a header that is not JSON', cause);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw broken('a header that is not an object');
  }
  return header as Record<string, unknown>;
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

function decode(name: string, entry: Entry, view: DataView, start: number) {
  const format = FORMATS[entry.dtype];
  if (!format) {
    throw new DTypeError({
      op: 'safetensors.load',
      argument: name,
      expected: `one of ${Object.keys(FORMATS).join(', ')}`,
      received: entry.dtype,
    });
  }
  const size = sizeOf(entry.shape);
  const [from, to] = entry.data_offsets;
  if (to - from !== size * format.bytes) {
    throw broken(`"${name}" of ${String(size)} elements in ${String(to - from)} bytes`);
  }
  const values = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const value = format.read(view, start + from + i * format.bytes);
    if (format.dtype === 'int32' && value !== (value | 0)) {
      throw new DTypeError({
        op: 'safetensors.load',
        argument: `${name}[${String(i)}]`,
        expected: 'a number that fits int32',
        received: String(value),
      });
    }
    values[i] = value;
  }
  return { dtype: format.dtype, values };
}

function broken(received: string, cause?: unknown): OptionError {
  return new OptionError(
    { op: 'safetensors.load', argument: 'file', expected: 'a safetensors file', received },
    cause === undefined ? undefined : { cause },
  );
}

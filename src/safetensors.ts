// Saves tensors by name as a safetensors file, and loads one, in PyTorch's names and layouts.
import { currentDevice } from './core/current.ts';
import { describe } from './core/describe.ts';
import type { Device } from './core/device.ts';
import { BYTES, encode, fromHalf, type DType } from './core/dtype.ts';
import { DTypeError, OptionError } from './core/errors.ts';
import { allocating } from './core/memory.ts';
import {
  broken,
  checkTexts,
  METADATA,
  parse,
  PREFIX,
  type Bytes,
  type Entry,
} from './safetensors-header.ts';
import { undone } from './core/scope.ts';
import { sizeOf } from './core/shape.ts';
import { fromHost, type Tensor } from './core/tensor.ts';
import { checkIsDevice, checkTensor } from './core/validate.ts';
import { checkOptionNames, isPlain } from './core/validate-options.ts';

const ALIGNMENT = 8;
const SAVE = 'safetensors.save';
const LOAD = 'safetensors.load';

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

export interface SaveOptions {
  /** Text by name, kept in the file's header. */
  metadata?: Readonly<Record<string, string>>;
}

export interface LoadOptions {
  /** Defaults to the device of the latest `init()`. */
  device?: Device;
}

/**
 * A safetensors file of tensors by name (an object's, or a Map's), as `safetensors.torch.save` makes it:
 * `await save(model.stateDict())`. float32, float16 and int32 are kept as they are. Throws `DTypeError` for what is not a tensor.
 */
export async function save(
  tensors: Readonly<Record<string, Tensor>> | ReadonlyMap<string, Tensor>,
  options: SaveOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  checkOptionNames(SAVE, options, ['metadata']);
  const { metadata: texts } = options;
  if (texts !== undefined) checkTexts(SAVE, 'metadata', texts);
  const named = entriesOf(tensors);
  // wide elements first, so that all of them are aligned
  named.sort(([a, x], [b, y]) => BYTES[y.dtype] - BYTES[x.dtype] || (a < b ? -1 : 1));
  const parts = await Promise.all(
    named.map(async ([name, from]) => {
      const { dtype, shape } = from;
      // encoded again: reading widens float16
      return { name, dtype, shape, host: encode(dtype, await from.data()) };
    }),
  );
  let end = 0;
  const header = parts.map(({ name, dtype, shape, host }): [string, unknown] => [
    name,
    { dtype: NAMES[dtype], shape, data_offsets: [end, (end += host.byteLength)] },
  ]);
  if (texts) header.unshift([METADATA, texts]);
  // Not by assignment, which would set the prototype for the name __proto__.
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
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

/** The names and tensors that are to be saved, checked. */
function entriesOf(tensors: unknown): [string, Tensor][] {
  if (!isPlain(tensors) && !(tensors instanceof Map)) {
    throw new OptionError({
      op: SAVE,
      argument: 'tensors',
      expected: 'tensors by name, in an object or a Map',
      received: describe(tensors),
      hint: 'of a model: model.stateDict()',
    });
  }
  const named: [unknown, unknown][] =
    tensors instanceof Map ? [...(tensors as Map<unknown, unknown>)] : Object.entries(tensors);
  for (const [name, from] of named) {
    if (typeof name !== 'string' || name === METADATA) {
      throw new OptionError({
        op: SAVE,
        argument: 'tensors',
        expected: `names that are strings other than ${METADATA}`,
        received: describe(name),
      });
    }
    checkTensor(SAVE, name, from, DTYPES);
  }
  return named as [string, Tensor][];
}

/**
 * The tensors of a safetensors file by name, for `model.loadStateDict`. F32, F16 and I32 are kept; BF16 becomes float32
 * exactly, F64 by rounding; integers and booleans become int32, and must fit. Throws `OptionError` for what is no such
 * file and `DTypeError` for other dtypes; no tensor is made then.
 */
export function load(file: Bytes, options: LoadOptions = {}): Record<string, Tensor> {
  checkOptionNames(LOAD, options, ['device']);
  const { device = currentDevice() } = options;
  checkIsDevice(LOAD, device);
  const { view, entries, start } = parse(LOAD, file);
  const decoded = entries.map(([name, entry]) => ({
    name,
    shape: entry.shape,
    ...decode(name, entry, view, start),
  }));
  // All or none, where memory runs out on the way.
  return undone(() =>
    Object.fromEntries(
      decoded.map(({ name, shape, dtype, values }) => {
        const bytes = values.length * BYTES[dtype];
        const host = allocating('safetensors.load', bytes, () => encode(dtype, values));
        return [name, fromHost(host, shape, dtype, device)];
      }),
    ),
  );
}

/** The texts that a file's header carries. */
export function metadata(file: Bytes): Record<string, string> {
  return parse('safetensors.metadata', file).texts;
}

function decode(name: string, entry: Entry, view: DataView, start: number) {
  const format = Object.hasOwn(FORMATS, entry.dtype) ? FORMATS[entry.dtype] : undefined;
  if (!format) {
    throw new DTypeError({
      op: LOAD,
      argument: name,
      expected: `one of ${Object.keys(FORMATS).join(', ')}`,
      received: entry.dtype,
    });
  }
  const size = sizeOf(entry.shape);
  const [from, to] = entry.data_offsets;
  if (to - from !== size * format.bytes) {
    throw broken(LOAD, `"${name}" of ${size} elements in ${to - from} bytes`);
  }
  const values = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const value = format.read(view, start + from + i * format.bytes);
    if (format.dtype === 'int32' && value !== (value | 0)) {
      throw new DTypeError({
        op: LOAD,
        argument: `${name}[${i}]`,
        expected: 'a number that fits int32',
        received: String(value),
      });
    }
    values[i] = value;
  }
  return { dtype: format.dtype, values };
}

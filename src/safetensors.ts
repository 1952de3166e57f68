/**
 * Saves tensors by name as a safetensors file, and loads one, in PyTorch's names and layouts.
 *
 * @module
 */
import { currentDevice } from './core/current.ts';
import { describe } from './core/describe.ts';
import type { Device } from './core/device.ts';
import { BYTES, encode, type DType } from './core/dtype.ts';
import { OptionError } from './core/errors.ts';
import { allocating } from './core/memory.ts';
import { checkFormat, decode } from './safetensors-formats.ts';
import {
  checkTexts,
  METADATA,
  parse,
  PREFIX,
  type Bytes,
  type FileBytes,
} from './safetensors-header.ts';
import { isStream, loadStream, type ByteStream, type LoadProgress } from './safetensors-stream.ts';
import { undone } from './core/scope.ts';
import { fromHost, type Tensor } from './core/tensor.ts';
import { checkIsDevice, checkTensor } from './core/validate.ts';
import { checkFunction, checkOptionNames, isPlain } from './core/validate-options.ts';

export type { ByteStream, Bytes, FileBytes, LoadProgress };

const ALIGNMENT = 8;
const SAVE = 'safetensors.save';
const LOAD = 'safetensors.load';

const NAMES: Readonly<Record<DType, string>> = { float32: 'F32', float16: 'F16', int32: 'I32' };

/** Options of `safetensors.save`. */
export interface SaveOptions {
  /** Text by name, kept in the file's header. */
  metadata?: Readonly<Record<string, string>>;
}

/** Options of `safetensors.load` of bytes. */
export interface LoadOptions {
  /** Defaults to the device of the latest `init()`. */
  device?: Device;
}

/** Options of `safetensors.load` of a Response, a Blob or a stream. */
export interface StreamOptions extends LoadOptions {
  /** Called as bytes arrive, from when the header is there. */
  onProgress?: (progress: LoadProgress) => void;
}

/**
 * A safetensors file of tensors by name (an object's, or a Map's), as `safetensors.torch.save` makes it:
 * `await save(model.stateDict())`. float32, float16 and int32 are kept as they are.
 *
 * @throws `DTypeError` for what is not a tensor.
 * @throws `OptionError` for names or texts that a file cannot have.
 * @throws `DisposedError` for a tensor that is disposed.
 */
export async function save(
  tensors: Readonly<Record<string, Tensor>> | ReadonlyMap<string, Tensor>,
  options: SaveOptions = {},
): Promise<FileBytes> {
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
 * exactly, F64 by rounding; integers and booleans become int32, and must fit. Where it throws, no tensor
 * is made.
 *
 * Of a Response, a Blob or a stream it returns a promise. Each tensor goes to the device when its bytes are there, so that the file
 * is never in memory as a whole. Where the stream fails or ends early the promise is rejected, and no tensor is left.
 *
 * @example
 * const file = await fetch('model.safetensors');
 * const state = await safetensors.load(file, {
 *   onProgress: ({ loaded, total }) => (bar.value = loaded / total),
 * });
 * model.loadStateDict(state, { cast: true });
 * @throws `OptionError` for what is no such file, and for an option that is unknown.
 * @throws `DTypeError` for other dtypes, and numbers that do not fit.
 */
export function load(file: Bytes, options?: LoadOptions): Record<string, Tensor>;
export function load(file: ByteStream, options?: StreamOptions): Promise<Record<string, Tensor>>;
export function load(
  file: Bytes | ByteStream,
  options: StreamOptions = {},
): Record<string, Tensor> | Promise<Record<string, Tensor>> {
  const streams = isStream(file);
  checkOptionNames(LOAD, options, streams ? ['device', 'onProgress'] : ['device']);
  const { device = currentDevice(), onProgress } = options;
  checkIsDevice(LOAD, device);
  if (onProgress !== undefined) checkFunction(LOAD, 'onProgress', onProgress);
  if (streams) return loadStream(LOAD, file, device, onProgress);
  const { entries, body } = parse(LOAD, file);
  for (const [name, entry] of entries) checkFormat(LOAD, name, entry);
  const decoded = entries.map(([name, entry]) => {
    const { shape, data_offsets: offsets } = entry;
    const bytes = offsets[1] - offsets[0];
    const own = allocating(LOAD, bytes, () => copyOf(body.subarray(...offsets)));
    return { name, shape, ...decode(LOAD, name, entry, own) };
  });
  // All or none, where memory runs out on the way.
  return undone(() =>
    Object.fromEntries(
      decoded.map(({ name, shape, dtype, host }) => [name, fromHost(host, shape, dtype, device)]),
    ),
  );
}

/** A copy that begins where elements may, and is not shared. */
function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const own = new Uint8Array(bytes.length);
  own.set(bytes);
  return own;
}

/**
 * The texts that a file's header carries.
 *
 * @throws `OptionError` for what is no such file.
 */
export function metadata(file: Bytes): Record<string, string> {
  return parse('safetensors.metadata', file).texts;
}

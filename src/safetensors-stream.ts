// Reads a safetensors file from a stream: a tensor at a time, each to the device as soon as its bytes are there.
import { describe } from './core/describe.ts';
import type { Device } from './core/device.ts';
import { OptionError } from './core/errors.ts';
import type { FileBlob, HttpResponse, WebStream } from './core/host-types.ts';
import { allocating } from './core/memory.ts';
import { fromHost, type Tensor } from './core/tensor.ts';
import { checkFormat, decode } from './safetensors-formats.ts';
import {
  broken,
  byOffset,
  checkCover,
  headerLength,
  headerOf,
  PREFIX,
  type FileBytes,
} from './safetensors-header.ts';

/** Where a file's bytes come from: `await fetch(url)`, a `File`, a web stream, a stream of Node. */
export type ByteStream = HttpResponse | FileBlob | WebStream | AsyncIterable<Uint8Array>;

/** Bytes that have arrived, and bytes of the file. */
export interface LoadProgress {
  /** Bytes that have arrived. */
  readonly loaded: number;
  /** Bytes of the whole file. */
  readonly total: number;
}

type Chunks = AsyncIterator<unknown>;

/** Whether a value is a stream, or has one: told by its methods, as it may be of another window or package. */
export function isStream(value: unknown): value is ByteStream {
  return (
    typeof value === 'object' &&
    value !== null &&
    ('getReader' in value || Symbol.asyncIterator in value || hasBody(value) || isBlob(value))
  );
}

const hasBody = (value: object): value is Response => 'body' in value && 'bodyUsed' in value;
const isBlob = (value: object): value is Blob => 'stream' in value && 'arrayBuffer' in value;

export async function loadStream(
  op: string,
  file: ByteStream,
  device: Device,
  onProgress?: (progress: LoadProgress) => void,
): Promise<Record<string, Tensor>> {
  const source = new Source(op, chunksOf(op, file));
  const made: [string, Tensor][] = [];
  try {
    const prefix = await source.read(PREFIX);
    const header = headerOf(op, await source.read(headerLength(op, prefix, Infinity)));
    const entries = byOffset(header.entries);
    const end = entries.at(-1)?.[1].data_offsets[1] ?? 0;
    checkCover(op, entries, end);
    for (const [name, entry] of entries) checkFormat(op, name, entry);
    const total = source.position + end;
    source.onBytes = () => onProgress?.({ loaded: source.position, total });
    source.onBytes();
    for (const [name, entry] of entries) {
      const { shape, data_offsets: offsets } = entry;
      const bytes = await source.read(offsets[1] - offsets[0]);
      const { dtype, host } = decode(op, name, entry, bytes);
      made.push([name, fromHost(host, shape, dtype, device)]);
    }
    await source.end(total);
    const tensors = new Map(made);
    // in the order of the header, as from a file in memory
    return Object.fromEntries(
      header.entries.flatMap(([name]) => {
        const tensor = tensors.get(name);
        return tensor ? [[name, tensor]] : [];
      }),
    );
  } catch (error) {
    for (const [, tensor] of made) tensor.dispose();
    await source.cancel();
    throw error;
  }
}

function chunksOf(op: string, file: ByteStream): Chunks {
  const refuse = (expected: string, received: string): OptionError =>
    new OptionError({ op, argument: 'file', expected, received });
  if (hasBody(file)) {
    if (!file.ok) throw refuse('a response of success', `status ${file.status}`);
    if (!file.body || file.bodyUsed) throw refuse('a response with its body', 'one without');
    return readerOf(file.body);
  }
  if (isBlob(file)) return readerOf(file.stream());
  if (!('getReader' in file)) return file[Symbol.asyncIterator]();
  if (file.locked) throw refuse('a stream that nobody reads', 'a locked one');
  return readerOf(file);
}

/** Not every browser iterates streams. */
function readerOf(stream: WebStream): Chunks {
  const reader = stream.getReader();
  return {
    next: async () => {
      const { done, value } = await reader.read();
      return done ? { done, value: undefined } : { done, value };
    },
    return: async () => {
      await reader.cancel();
      return { done: true, value: undefined };
    },
  };
}

/** Exact numbers of bytes out of chunks of any size. */
class Source {
  /** Bytes that were read. */
  position = 0;
  onBytes: () => void = () => undefined;
  readonly #op: string;
  readonly #chunks: Chunks;
  #chunk: Uint8Array = new Uint8Array();

  constructor(op: string, chunks: Chunks) {
    this.#op = op;
    this.#chunks = chunks;
  }

  async read(count: number): Promise<FileBytes> {
    const bytes = allocating(this.#op, count, () => new Uint8Array(count));
    let filled = 0;
    while (filled < count) {
      if (this.#chunk.length === 0 && !(await this.#next()))
        throw broken(this.#op, `one that ends at byte ${this.position}`);
      const part = this.#chunk.subarray(0, count - filled);
      bytes.set(part, filled);
      this.#chunk = this.#chunk.subarray(part.length);
      filled += part.length;
      this.position += part.length;
      this.onBytes();
    }
    return bytes;
  }

  /** Throws if there are more bytes. */
  async end(total: number): Promise<void> {
    if (this.#chunk.length > 0 || (await this.#next()))
      throw broken(this.#op, `bytes after the last tensor, from ${total}`);
  }

  /** Tells the stream that no more is wanted; what it makes of that is no matter of the caller's. */
  async cancel(): Promise<void> {
    try {
      await this.#chunks.return?.();
    } catch {
      // It has failed already.
    }
  }

  /** The next chunk that is not empty; false at the end. */
  async #next(): Promise<boolean> {
    do {
      const { done, value } = (await this.#chunks.next()) as IteratorResult<unknown, unknown>;
      if (done) return false;
      if (!(value instanceof Uint8Array)) {
        throw new OptionError({
          op: this.#op,
          argument: 'file',
          expected: 'a stream of Uint8Array',
          received: `one of ${describe(value)}`,
        });
      }
      this.#chunk = value;
    } while (this.#chunk.length === 0);
    return true;
  }
}

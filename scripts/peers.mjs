// @ts-check
// In: a folder with a package.json and a lock file of its own. Out: the packages that they name, installed there where they are
// missing or of another version. They serve benchmarks and tests alone, so `npm ci` of the repository does without them.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @param {string} path */
function readJson(path) {
  try {
    return /** @type {unknown} */ (JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}

/**
 * @param {string} folder
 * @returns {Record<string, string>} its dependencies with their versions
 */
export function peersOf(folder) {
  const manifest = readJson(join(folder, 'package.json'));
  const { dependencies } = /** @type {{ dependencies: Record<string, string> }} */ (manifest);
  // `npm:typescript@7.0.2` is a package by another name
  return Object.fromEntries(
    Object.entries(dependencies).map(([name, range]) => [name, range.replace(/^npm:.+@/, '')]),
  );
}

/** @param {string} folder */
export function installPeers(folder) {
  const missing = Object.entries(peersOf(folder)).some(([name, version]) => {
    const manifest = readJson(join(folder, 'node_modules', name, 'package.json'));
    return /** @type {{ version?: string } | undefined} */ (manifest)?.version !== version;
  });
  if (!missing) return;
  console.log(`installing what ${folder} names…`);
  // no scripts: what these packages need comes with them
  const args = ['ci', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'];
  const { status } = spawnSync('npm', args, {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error(`npm ci failed in ${folder}`);
}

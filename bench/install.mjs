// @ts-check
// In: nothing. Out: the peers, installed where they are missing or not as the lock file says.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));

/** @param {string} path */
function readJson(path) {
  try {
    return /** @type {unknown} */ (JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}

/** @returns {Record<string, string>} the benchmark's own dependencies with their versions */
export function peers() {
  const { dependencies } = /** @type {{ dependencies: Record<string, string> }} */ (
    readJson(`${folder}package.json`)
  );
  return dependencies;
}

export function installPeers() {
  const missing = Object.entries(peers()).some(([name, version]) => {
    const manifest = readJson(`${folder}node_modules/${name}/package.json`);
    return /** @type {{ version?: string } | undefined} */ (manifest)?.version !== version;
  });
  if (!missing) return;
  console.log('installing the libraries to compare with…');
  const args = ['ci', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'];
  const { status } = spawnSync('npm', args, {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error('npm ci failed in bench/');
}

/** This library's version. */
export function ownVersion() {
  const manifest = readJson(fileURLToPath(new URL('../package.json', import.meta.url)));
  return /** @type {{ version: string }} */ (manifest).version;
}

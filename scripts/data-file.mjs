// @ts-check
// Data files of the demo that are made from npm packages when they are first needed, and an order by chance that is always the same.
import { realpathSync } from 'node:fs';
import { mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** @param {string} path */
async function modified(path) {
  try {
    return (await stat(path)).mtimeMs;
  } catch {
    return -Infinity;
  }
}

/**
 * Makes a gzipped file unless it is newer than the script that makes it.
 * @param {string} target the file
 * @param {string} script the script
 * @param {() => string | Uint8Array | Promise<string | Uint8Array>} contentOf
 * @param {{ force?: boolean }} [options] `force` makes it anyway
 * @returns {Promise<string>} the file's path
 */
export async function ensureDataFile(target, script, contentOf, { force = false } = {}) {
  if (!force && (await modified(target)) >= (await modified(script))) return target;
  const zipped = await promisify(gzip)(await contentOf(), { level: 9 });
  await mkdir(dirname(target), { recursive: true });
  // in one step, so that nobody ever reads half a file
  const partial = `${target}.${process.pid}`;
  await writeFile(partial, zipped);
  await rename(partial, target);
  return target;
}

/**
 * Makes the file where the script is run as a program, with `--force` in any case, and prints its size.
 * @param {string} script
 * @param {(options: { force: boolean }) => Promise<string>} ensure
 */
export async function runAsProgram(script, ensure) {
  if (!process.argv[1] || realpathSync(process.argv[1]) !== script) return;
  const path = await ensure({ force: process.argv.includes('--force') });
  console.log(`${path}: ${(await stat(path)).size} bytes`);
}

/**
 * mulberry32: a small generator with the same numbers everywhere.
 * @param {number} seed
 * @returns {() => number} numbers from 0 to below 1
 */
export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * @template T
 * @param {T[]} items
 * @param {() => number} random
 * @returns {T[]} the items in random order (keys that tie keep their order)
 */
export function shuffled(items, random) {
  return items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

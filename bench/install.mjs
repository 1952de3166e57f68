// @ts-check
// The libraries that the benchmark compares with, and this library's version.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as common from '../scripts/peers.mjs';

const folder = fileURLToPath(new URL('.', import.meta.url));

/** @returns {Record<string, string>} the benchmark's own dependencies with their versions */
export const peers = () => common.peersOf(folder);

export const installPeers = () => common.installPeers(folder);

/** This library's version. */
export function ownVersion() {
  const path = fileURLToPath(new URL('../package.json', import.meta.url));
  const manifest = /** @type {unknown} */ (JSON.parse(readFileSync(path, 'utf8')));
  return /** @type {{ version: string }} */ (manifest).version;
}

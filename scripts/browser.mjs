// @ts-check
/**
 * Finds a Chromium for the GPU tests, the e2e tests and the benchmarks.
 *
 * Order: CHROMIUM_PATH, Playwright's own download, a browser of the system.
 * `node scripts/browser.mjs` also installs one where none is found; test configs
 * only look (they must not download anything while being evaluated).
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';
import { aptInstall } from './apt.mjs';

const SYSTEM_NAMES = ['google-chrome', 'google-chrome-stable', 'chromium', 'chromium-browser'];

const isRoot = process.getuid?.() === 0;

/** Flags for a headless browser with a software WebGPU adapter and no background traffic. */
export const browserArgs = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  // Chromium refuses to sandbox as root (containers, CI)
  ...(isRoot ? ['--no-sandbox'] : []),
];

/** More flags where a page shows a canvas of WebGPU: without a GPU nothing else presents one. */
export const canvasArgs = [
  '--enable-features=Vulkan',
  '--use-vulkan=swiftshader',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
];

/**
 * @param {string} name
 * @returns {string | undefined} the program's path if it is on PATH
 */
export function which(name) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/**
 * The path of a usable browser, or undefined.
 * @returns {string | undefined}
 */
export function findBrowser() {
  const fromEnv = process.env.CHROMIUM_PATH;
  if (fromEnv) {
    // an explicit wish that cannot be met is an error, not a reason to use another browser
    if (!existsSync(fromEnv)) throw new Error(`CHROMIUM_PATH: no such file: ${fromEnv}`);
    return fromEnv;
  }
  const own = chromium.executablePath();
  if (own && existsSync(own)) return own;
  for (const name of SYSTEM_NAMES) {
    const path = which(name);
    if (path) return path;
  }
  return undefined;
}

/**
 * Launch options shared by Vitest's browser mode and Playwright.
 * Without a browser the path is left out, and the launch itself says what is missing.
 * @param {string[]} extra more command-line flags
 */
export function launchOptions(extra = []) {
  const executablePath = findBrowser();
  return { args: [...browserArgs, ...extra], ...(executablePath ? { executablePath } : {}) };
}

/**
 * @param {string} command
 * @param {string[]} args
 */
function attempt(command, args) {
  console.log(`$ ${[command, ...args].join(' ')}`);
  return spawnSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32' });
}

/** Tries to install a browser: Playwright's, then the distribution's. */
function installBrowser() {
  if (attempt('npx', ['playwright', 'install', '--with-deps', 'chromium']).status === 0) {
    if (findBrowser()) return;
  }
  if (!which('apt-get')) return;
  // what it recommends has the sandbox, without which it starts for root only
  aptInstall(['chromium'], { recommends: true });
}

/**
 * Finds a browser, installing one if needed.
 * @returns {string}
 */
export function ensureBrowser() {
  const found = findBrowser();
  if (found) return found;
  installBrowser();
  const installed = findBrowser();
  if (installed) return installed;
  throw new Error(
    'No Chromium found and none could be installed. Install Chrome or Chromium (113 or newer), ' +
      'run `npx playwright install chromium`, or set CHROMIUM_PATH to a browser executable.',
  );
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const path = ensureBrowser();
  let version = '';
  try {
    version = execFileSync(path, ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    // Chrome on Windows does not print its version; the path alone is still of use
  }
  console.log(version ? `${path} (${version})` : path);
}

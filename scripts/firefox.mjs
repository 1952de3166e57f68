// @ts-check
/**
 * Runs the op suite and the page in a real Firefox, whose WebGPU is wgpu, and writes a report:
 * `node scripts/firefox.mjs REPORT.json`; with `--only PATTERN` the groups of checks whose name it matches.
 *
 * Order: FIREFOX_PATH, a Firefox on PATH, macOS' applications. On Linux its WebGPU needs a Vulkan driver: the caller's
 * choice (VK_DRIVER_FILES), Mesa's lavapipe, whatever else the system has. Without a Firefox, or an adapter in it, the
 * report says so: `{ "notRun": reason }`, which is neither passed nor failed.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import puppeteer from 'puppeteer-core';
import { build, preview } from 'vite';
import { checkDemo } from '../test/firefox/demo.mjs';
import { which } from './browser.mjs';
import { findLavapipe } from './vulkan.mjs';
import { wgslMinify } from './wgsl-minify.mjs';

/**
 * @typedef {import('../test/firefox/suite.ts').FirefoxSuite} FirefoxSuite
 * @typedef {import('../test/runner.ts').Tally} Tally
 */

const root = fileURLToPath(new URL('..', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string' } },
});
const [report] = positionals;
if (report === undefined) {
  console.error('usage: node scripts/firefox.mjs REPORT.json [--only PATTERN]');
  process.exit(2);
}
const reportPath = resolve(report);
const work = mkdtempSync(join(tmpdir(), 'nonlin-firefox-'));

const MINUTE = 60_000;
/** A GPU that never answers ends the run. */
const SUITE_TIMEOUT = 30 * MINUTE;

/** WebGPU, also on adapters that Firefox does not trust, and without a screen. */
const preferences = {
  'dom.webgpu.enabled': true,
  'gfx.webgpu.ignore-blocklist': true,
  'layers.acceleration.force-enabled': true,
};

/** @returns {string | undefined} the path of a Firefox */
function findFirefox() {
  const fromEnv = process.env.FIREFOX_PATH;
  if (fromEnv) {
    // an explicit wish that cannot be met is an error, not a reason to use another browser
    if (!existsSync(fromEnv)) throw new Error(`FIREFOX_PATH: no such file: ${fromEnv}`);
    return fromEnv;
  }
  const onPath = ['firefox', 'firefox-esr'].map(which).find((path) => path !== undefined);
  const application = '/Applications/Firefox.app/Contents/MacOS/firefox';
  return onPath ?? (existsSync(application) ? application : undefined);
}

/** @param {string} executablePath */
function launch(executablePath) {
  const chosen = process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES;
  const driver = chosen === undefined ? findLavapipe() : undefined;
  return puppeteer.launch({
    browser: 'firefox',
    executablePath,
    headless: true,
    extraPrefsFirefox: preferences,
    env: { ...process.env, ...(driver ? { VK_DRIVER_FILES: driver } : {}) },
    // the checks are one call that takes minutes
    protocolTimeout: SUITE_TIMEOUT,
    timeout: 2 * MINUTE,
  });
}

/** @type {Tally} */
const nothing = { passed: 0, failed: 0, skipped: 0, failures: [] };

/** Builds the checks and the page, each into a folder of its own, and serves both. */
async function serve() {
  await build({
    configFile: false,
    root: join(root, 'test/firefox'),
    base: './',
    logLevel: 'warn',
    publicDir: false,
    // golden vectors
    assetsInclude: ['**/*.json.gz'],
    plugins: [wgslMinify()],
    build: {
      target: 'esnext',
      outDir: join(work, 'pages/checks'),
      emptyOutDir: true,
      minify: false,
      chunkSizeWarningLimit: 1e6,
    },
  });
  await build({
    configFile: join(root, 'demo/vite.config.ts'),
    logLevel: 'warn',
    build: { outDir: join(work, 'pages/demo'), emptyOutDir: true },
  });
  const server = await preview({
    configFile: false,
    root: work,
    logLevel: 'warn',
    build: { outDir: 'pages' },
    preview: { host: '127.0.0.1', port: 0 },
  });
  const address = server.resolvedUrls?.local[0];
  if (address === undefined) throw new Error('no address to open');
  return { server, address };
}

/**
 * @param {import('puppeteer-core').Browser} browser
 * @param {string} address
 * @returns {Promise<{ adapter: string | null, tally: Tally }>}
 */
async function runChecks(browser, address) {
  const page = await browser.newPage();
  page.on('console', (message) => {
    console.log(message.text());
  });
  page.on('pageerror', (error) => {
    console.error(error);
  });
  await page.goto(`${address}checks/index.html`);
  await page.waitForFunction(() => 'suite' in globalThis, { timeout: 2 * MINUTE });
  const suite = /** @type {import('puppeteer-core').JSHandle<FirefoxSuite>} */ (
    await page.evaluateHandle(() => /** @type {unknown} */ (Reflect.get(globalThis, 'suite')))
  );
  const adapter = await suite.evaluate((it) => it.adapter());
  if (adapter === null) return { adapter, tally: nothing };
  console.log(`${await browser.version()} on ${adapter}`);
  const tally = await suite.evaluate((it, pattern) => it.run(pattern), values.only ?? '');
  await page.close();
  return { adapter, tally };
}

async function main() {
  const path = findFirefox();
  if (path === undefined) return { notRun: 'no Firefox was found' };
  const { server, address } = await serve();
  const browser = await launch(path);
  try {
    const { adapter, tally } = await runChecks(browser, address);
    if (adapter === null) return { notRun: `${await browser.version()} has no WebGPU adapter` };
    // a pattern chooses among the checks of ops
    const demo = 'page'.match(values.only ?? '')
      ? await checkDemo(browser, `${address}demo/index.html`)
      : nothing;
    return {
      passed: tally.passed + demo.passed,
      failed: tally.failed + demo.failed,
      skipped: tally.skipped + demo.skipped,
      failures: [...tally.failures, ...demo.failures],
      adapter,
    };
  } finally {
    await browser.close();
    await server.close();
  }
}

try {
  const result = await main();
  if ('notRun' in result) console.log(`not run: ${result.notRun}`);
  writeFileSync(reportPath, JSON.stringify(result));
  process.exitCode = 'failed' in result && result.failed > 0 ? 1 : 0;
} finally {
  rmSync(work, { recursive: true, force: true });
}

// @ts-check
// In: nothing. Out: the benchmark's page, built as an app would be and served; and browsers to open it in.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';
import { build, preview } from 'vite';
import { launchOptions } from '../scripts/browser.mjs';
import { docsStripper } from '../scripts/strip-docs.mjs';
import { wgslMinify } from '../scripts/wgsl-minify.mjs';

/**
 * @typedef {import('./page/main.ts').Bench} Bench
 * @typedef {import('./page/first/main.ts').FirstBench} FirstBench
 * @typedef {import('playwright').JSHandle<Bench & FirstBench>} BenchHandle each page has its part
 */

/** @param {string} path relative to this folder */
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const isolation = {
  // gives clocks of 5 µs instead of 100
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/**
 * Builds and serves the pages.
 * @param {string} [before] another checkout, whose library is `before`; without one it is this library
 * @returns {Promise<{ url: string, first: string, close: () => Promise<void> }>}
 */
export async function servePages(before) {
  // the other checkout's own bench file: it imports the library beside it
  const other = join(
    before === undefined ? here('..') : resolve(before),
    'bench/page/libraries/nonlin.ts',
  );
  if (!existsSync(other))
    throw new Error(`--before: expected a checkout of nonlin, there is no ${other}`);
  const common = {
    root: here('page'),
    configFile: /** @type {const} */ (false),
    logLevel: /** @type {const} */ ('error'),
  };
  /** @param {string} name */
  const shim = (name) => here(`../scripts/shims/${name}.cjs`);
  const outDir = here('dist');
  /** @param {string} root @param {string} to */
  const buildPage = (root, to) =>
    build({
      ...common,
      root,
      base: './',
      // as the package is built, see the repository's vite.config.ts
      plugins: [wgslMinify(), docsStripper()],
      resolve: {
        alias: {
          // as the demo, whose models are trained, names it
          nonlin: here('../src/index.ts'),
          'nonlin-before': other,
          '@stdlib/math-base-special-exp': shim('exp'),
          '@stdlib/number-float64-base-set-low-word': shim('set-low-word'),
        },
      },
      build: {
        target: 'esnext',
        outDir: to,
        emptyOutDir: true,
        chunkSizeWarningLimit: Infinity,
        assetsInlineLimit: 0,
        modulePreload: false,
      },
    });
  await buildPage(here('page'), outDir);
  await buildPage(here('page/first'), here('dist/first'));
  const server = await preview({
    ...common,
    build: { outDir },
    preview: { host: '127.0.0.1', port: 0, headers: isolation },
  });
  const url = server.resolvedUrls?.local[0] ?? '';
  return { url, first: `${url}first/`, close: () => server.close() };
}

/**
 * Opens the page in a browser of its own, calls `use`, and closes it.
 * @template T
 * @param {string} url
 * @param {(bench: BenchHandle, browser: import('playwright').Browser) => Promise<T>} use
 * @param {{ cpuTime?: boolean }} [options] `cpuTime`: the page's clock is the CPU time of the browser's GPU process
 */
export async function withPage(url, use, { cpuTime = false } = {}) {
  const browser = await chromium.launch(launchOptions());
  try {
    const page = await browser.newPage();
    page.on('pageerror', (error) => console.error(error));
    if (process.env.BENCH_VERBOSE) page.on('console', (message) => console.error(message.text()));
    if (cpuTime) await page.exposeFunction('cpuTime', await cpuTimeOf(browser));
    await page.goto(url);
    await page.waitForFunction(() => 'bench' in globalThis);
    const handle = await page.evaluateHandle(
      () => /** @type {unknown} */ (Reflect.get(globalThis, 'bench')),
    );
    return await use(/** @type {BenchHandle} */ (handle), browser);
  } finally {
    await browser.close();
  }
}

/**
 * A clock of what the browser's GPU process has computed, in milliseconds: where the GPU is emulated and the machine
 * shared, steadier than the time of day. Linux only.
 * @param {import('playwright').Browser} browser
 */
async function cpuTimeOf(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const gpu = processInfo.find(({ type }) => type === 'GPU');
  if (!gpu) throw new Error('--cpu-time: no GPU process');
  const tasks = `/proc/${gpu.id}/task`;
  return () => {
    let nanoseconds = 0;
    for (const task of readdirSync(tasks)) {
      try {
        nanoseconds += Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]);
      } catch {
        // a thread that has just ended
      }
    }
    return nanoseconds / 1e6;
  };
}

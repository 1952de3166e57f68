// @ts-check
// In: `npm run accuracy`, with `-- --op NAME`, `-- --full` and `-- --arithmetic rcp+|rcp-|contract|flush|reorder|all`. Out: every
// activation swept on WebGPU in a headless browser, a table in the terminal and docs/accuracy.md. With --arithmetic the
// shaders are rewritten to compute as hardware may; `all` writes the page's column of it, and leaves the other columns (with --op, also the rows of
// other ops).
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import { chromium } from 'playwright';
import { format, resolveConfig } from 'prettier';
import { createServer } from 'vite';
import { ensureBrowser, launchOptions } from './browser.mjs';

/**
 * @typedef {import('../test/accuracy/report.ts').Measured} Measured
 * @typedef {import('../test/accuracy/page.ts').AccuracyPage} AccuracyPage
 */

const { values } = parseArgs({
  options: {
    op: { type: 'string', multiple: true },
    full: { type: 'boolean', default: false },
    arithmetic: { type: 'string' },
  },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const target = fileURLToPath(new URL('../docs/accuracy.md', import.meta.url));

ensureBrowser();
const server = await createServer({
  root,
  configFile: false,
  cacheDir: fileURLToPath(new URL('../test-results/vite-accuracy', import.meta.url)),
  logLevel: 'warn',
  // the golden vectors, as vite.config.ts has them
  assetsInclude: ['**/*.json.gz'],
  server: { host: '127.0.0.1', port: 0, hmr: false, watch: null },
  optimizeDeps: { entries: ['test/accuracy/page.ts'] },
});
await server.listen();
const browser = await chromium.launch(launchOptions());
try {
  process.exitCode = await run();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
} finally {
  await browser.close();
  await server.close();
}

/** @param {string} [mode] of arithmetic */
async function sweepAll(mode) {
  const page = await browser.newPage();
  page.on('pageerror', (error) => console.error(error));
  const query = mode ? `?arithmetic=${encodeURIComponent(mode)}` : '';
  await page.goto(`${server.resolvedUrls?.local[0] ?? ''}test/accuracy/index.html${query}`);
  await page.waitForFunction(() => 'accuracy' in globalThis);
  const sweeps = /** @type {import('playwright').JSHandle<AccuracyPage>} */ (
    await page.evaluateHandle(() => /** @type {unknown} */ (Reflect.get(globalThis, 'accuracy')))
  );
  const adapter = await sweeps.evaluate((accuracy) => accuracy.adapter());
  const all = await sweeps.evaluate((accuracy) => accuracy.ops);
  const wanted = values.op ?? all;
  const unknown = wanted.filter((op) => !all.includes(op));
  if (unknown.length > 0) {
    throw new Error(`no such op: ${unknown.join(', ')}; there are ${all.join(', ')}`);
  }

  const bar = process.stdout.isTTY
    ? new SingleBar({ format: '{bar} {value}/{total} {op} {part}', hideCursor: true })
    : undefined;
  bar?.start(wanted.length, 0, { op: '', part: '' });
  let current = '';
  await page.exposeFunction('progress', (/** @type {string} */ part) => {
    bar?.update({ op: current, part });
  });
  /** @type {Measured[]} */
  const results = [];
  for (const op of wanted) {
    current = mode ? `${op} ${mode}` : op;
    const start = performance.now();
    const call = { name: op, full: values.full };
    results.push(
      ...(await sweeps.evaluate((accuracy, { name, full }) => accuracy.measure(name, full), call)),
    );
    bar?.increment();
    if (!bar) console.log(`${current}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  }
  bar?.stop();
  await page.close();
  return { adapter, results };
}

/** @param {string} text */
async function pretty(text) {
  return format(text, { ...(await resolveConfig(target)), filepath: target });
}

async function run() {
  const report = /** @type {typeof import('../test/accuracy/report.ts')} */ (
    await server.ssrLoadModule('/test/accuracy/report.ts')
  );
  const { MODES } = /** @type {typeof import('../test/arithmetic/helpers.ts')} */ (
    await server.ssrLoadModule('/test/arithmetic/helpers.ts')
  );
  const present = await readFile(target, 'utf8').catch(() => '');
  if (values.arithmetic !== undefined) return runModes(report, MODES, present);

  const { adapter, results } = await sweepAll();
  const manifest = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  /** @type {unknown} */
  const parsed = JSON.parse(manifest);
  const { version } = /** @type {{ version: string }} */ (parsed);
  const about = {
    adapter,
    browser: `Chromium ${browser.version()}`,
    version,
    date: new Date().toISOString().slice(0, 10),
    full: values.full,
  };
  const text = await pretty(report.report(results, about, report.columnIn(present)));
  console.log(text);
  // A part of the ops is to look at; the file has them all.
  if (!values.op) await write(text);
  return verdict(report.exceeded(results));
}

/**
 * @param {typeof import('../test/accuracy/report.ts')} report
 * @param {typeof import('../test/arithmetic/helpers.ts').MODES} all
 * @param {string} present the page
 */
async function runModes(report, all, present) {
  const modes = values.arithmetic === 'all' ? all : all.filter((one) => one === values.arithmetic);
  if (modes.length === 0) throw new Error(`no such arithmetic: there are ${all.join(', ')}, all`);
  /** @type {Map<string, Measured[]>} */
  const byMode = new Map();
  for (const mode of modes) byMode.set(mode, (await sweepAll(mode)).results);
  const column = report.worstOf(byMode);
  for (const [key, value] of column) console.log(`${key}: ${value}`);
  if (modes.length === all.length) {
    const whole = values.op ? new Map([...report.columnIn(present), ...column]) : column;
    await write(await pretty(report.withColumn(present, whole)));
  }
  const wrong = [...byMode].flatMap(([mode, results]) =>
    report.exceeded(results).map((one) => `${mode}: ${one}`),
  );
  return verdict(wrong);
}

/** @param {string} text */
async function write(text) {
  await mkdir(fileURLToPath(new URL('../docs', import.meta.url)), { recursive: true });
  await writeFile(target, text);
}

/** @param {string[]} wrong */
function verdict(wrong) {
  for (const one of wrong) console.error(`bound exceeded: ${one}`);
  return wrong.length > 0 ? 1 : 0;
}

// @ts-check
// In: `npm run accuracy`, with `-- --op NAME` and `-- --full`. Out: every activation swept on WebGPU in a headless browser,
// a table in the terminal and docs/accuracy.md.
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
  options: { op: { type: 'string', multiple: true }, full: { type: 'boolean', default: false } },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const target = fileURLToPath(new URL('../docs/accuracy.md', import.meta.url));

ensureBrowser();
const server = await createServer({
  root,
  configFile: false,
  cacheDir: fileURLToPath(new URL('../test-results/vite-accuracy', import.meta.url)),
  logLevel: 'warn',
  server: { host: '127.0.0.1', port: 0, hmr: false, watch: null },
  optimizeDeps: { entries: ['test/accuracy/page.ts'] },
});
await server.listen();
const browser = await chromium.launch(launchOptions());
try {
  process.exitCode = await run();
} finally {
  await browser.close();
  await server.close();
}

async function run() {
  const page = await browser.newPage();
  page.on('pageerror', (error) => console.error(error));
  await page.goto(`${server.resolvedUrls?.local[0] ?? ''}test/accuracy/index.html`);
  await page.waitForFunction(() => 'accuracy' in globalThis);
  const sweeps = /** @type {import('playwright').JSHandle<AccuracyPage>} */ (
    await page.evaluateHandle(() => /** @type {unknown} */ (Reflect.get(globalThis, 'accuracy')))
  );
  const adapter = await sweeps.evaluate((accuracy) => accuracy.adapter());
  const all = await sweeps.evaluate((accuracy) => accuracy.ops);
  const wanted = values.op ?? all;
  const unknown = wanted.filter((op) => !all.includes(op));
  if (unknown.length > 0) {
    console.error(`no such op: ${unknown.join(', ')}; there are ${all.join(', ')}`);
    return 2;
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
    current = op;
    const start = performance.now();
    const call = { name: op, full: values.full };
    results.push(
      ...(await sweeps.evaluate((accuracy, { name, full }) => accuracy.measure(name, full), call)),
    );
    bar?.increment();
    if (!bar) console.log(`${op}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  }
  bar?.stop();

  const report = /** @type {typeof import('../test/accuracy/report.ts')} */ (
    await server.ssrLoadModule('/test/accuracy/report.ts')
  );
  const manifest = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  /** @type {unknown} */
  const parsed = JSON.parse(manifest);
  const { version } = /** @type {{ version: string }} */ (parsed);
  const text = report.report(results, {
    adapter,
    browser: `Chromium ${browser.version()}`,
    version,
    date: new Date().toISOString().slice(0, 10),
    full: values.full,
  });
  const pretty = await format(text, { ...(await resolveConfig(target)), filepath: target });
  console.log(pretty);
  // A part of the ops is to look at; the file has them all.
  if (!values.op) {
    await mkdir(fileURLToPath(new URL('../docs', import.meta.url)), { recursive: true });
    await writeFile(target, pretty);
  }
  const wrong = report.exceeded(results);
  for (const one of wrong) console.error(`bound exceeded: ${one}`);
  return wrong.length > 0 ? 1 : 0;
}

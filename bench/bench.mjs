// @ts-check
/**
 * `npm run bench`: this library beside TensorFlow.js, ONNX Runtime Web and jax-js in one headless Chromium.
 *
 * In: `--quick`, `--op NAME`, `--size N` or `--size ROWSxCOLUMNS`, `--only LIBRARY` (the floor is always there), `--part NAME`
 * (all repeatable), `--rounds N`; `--cpu-time`: the CPU time of the GPU process instead of the time of day, for a software
 * adapter on a busy machine.
 * `--before PATH`: beside this library of another checkout, call by call in one page: times as multiples of its times, and
 * their geometric mean. PATH is a checkout of an older revision, as `git worktree add PATH REVISION` makes it.
 * Out: tables in the terminal, test-results/bench.json and, of a full run, docs/benchmarks.md; of `--part training` (or `models`, or
 * `attention`, of which it consists) alone their own sections of that file. Fails where libraries in training do not agree, or where training or attention is not within its bounds.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import { format, resolveConfig } from 'prettier';
import { createServer } from 'vite';
import { ensureBrowser } from '../scripts/browser.mjs';
import { installPeers, ownVersion, peers } from './install.mjs';
import { servePages, withPage } from './pages.mjs';
import { planOf } from './plan.mjs';
import { attentionOf, trainingOf } from './training.mjs';

/**
 * @typedef {import('./report.ts').Results} Results
 */

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    op: { type: 'string', multiple: true },
    size: { type: 'string', multiple: true },
    only: { type: 'string', multiple: true },
    part: { type: 'string', multiple: true },
    rounds: { type: 'string' },
    before: { type: 'string' },
    'cpu-time': { type: 'boolean', default: false },
  },
});
const plan = planOf(values);

ensureBrowser();
installPeers();
const start = performance.now();
const site = await servePages(values.before);
try {
  await main();
} finally {
  await site.close();
}

async function main() {
  const server = await createServer({
    configFile: false,
    logLevel: 'warn',
    appType: 'custom',
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
    optimizeDeps: { noDiscovery: true, include: [] },
  });
  /** @param {string} name @returns {Promise<unknown>} */
  const load = (name) => server.ssrLoadModule(fileURLToPath(new URL(name, import.meta.url)));
  const { report } = /** @type {typeof import('./report.ts')} */ (await load('report.ts'));
  const { renewed } = /** @type {typeof import('./report-training.ts')} */ (
    await load('report-training.ts')
  );
  const { lessonOf } = /** @type {typeof import('./lessons.ts')} */ (await load('lessons.ts'));
  const results = await measure(lessonOf);
  await server.close();
  const target = fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url));
  /** @param {string} words */
  const pretty = async (words) =>
    format(words, { ...(await resolveConfig(target)), filepath: target });
  const text = await pretty(report(results));
  console.log(text);
  const folder = new URL('../test-results/', import.meta.url);
  await mkdir(folder, { recursive: true });
  await writeFile(new URL('bench.json', folder), JSON.stringify(results, null, 1));
  const failures = [...results.training, ...results.attention].flatMap((one) => one.failures);
  if (failures.length > 0) {
    console.error(failures.join('\n'));
    process.exitCode = 1;
  }
  // A part is to look at; the file has everything.
  if (plan.full) await writeFile(target, text);
  else if (plan.apart) {
    await writeFile(target, await pretty(renewed(await readFile(target, 'utf8'), text)));
  }
  console.log(`${((performance.now() - start) / 1000).toFixed(0)} s`);
}

/**
 * @param {typeof import('./lessons.ts').lessonOf} lessonOf
 * @returns {Promise<Results>}
 */
async function measure(lessonOf) {
  const steps =
    plan.cells.length +
    plan.cpuCells.length +
    plan.coldStarts.length +
    plan.counts.length +
    plan.training.length +
    plan.attention.length +
    (plan.overhead.length > 0 ? 1 : 0);
  const bar = process.stdout.isTTY
    ? new SingleBar({ format: '{bar} {value}/{total} {step}', hideCursor: true })
    : undefined;
  bar?.start(steps, 0, { step: '' });
  /** @type {<T>(step: string, work: Promise<T>) => Promise<T>} */
  const during = async (step, work) => {
    bar?.update({ step });
    const result = await work;
    bar?.increment();
    return result;
  };

  // Each in a browser of its own, before this machine is warm from the rest.
  /** @type {Results['coldStarts'][number][]} */
  const coldStarts = [];
  for (const library of plan.coldStarts) {
    const [relu, ten] = await during(
      `cold start of ${library}`,
      (async () => [
        await withPage(site.first, (page) =>
          page.evaluate((bench, name) => bench.first(name), library),
        ),
        await withPage(site.url, (page) =>
          page.evaluate((bench, name) => bench.ten(name), library),
        ),
      ])(),
    );
    coldStarts.push({ library, relu, ten });
  }
  /** @type {Results['counts'][number][]} */
  const counts = [];
  for (const library of plan.counts) {
    const request = { library, ops: plan.countedOps, shape: plan.memoryShape };
    const counted = await during(
      `calls of ${library}`,
      withPage(site.url, (page) =>
        page.evaluate((bench, { library: name, ops, shape }) => bench.counts(name, ops, shape), {
          ...request,
        }),
      ),
    );
    counts.push({ library, ...counted });
  }
  const overhead =
    plan.overhead.length === 0
      ? []
      : await during(
          'overhead',
          withPage(site.url, (page) =>
            page.evaluate((bench, { names, rounds }) => bench.overhead(names, rounds), {
              names: plan.overhead,
              rounds: plan.overheadRounds,
            }),
          ),
        );
  /** @param {typeof plan.cells} requests */
  const cellsOf = (requests) =>
    withPage(
      site.url,
      async (page, browser) => {
        const adapter = await page.evaluate((bench) => bench.adapter());
        const cells = [];
        for (const request of requests) {
          const step = `${request.op} ${request.shape.join(' × ')}`;
          const cell = await during(
            step,
            page.evaluate((bench, one) => bench.cell(one), request),
          );
          cells.push(cell);
        }
        return { adapter, browser: `Chromium ${browser.version()}`, cells };
      },
      { cpuTime: values['cpu-time'] },
    );
  const gpu = await cellsOf(plan.cells);
  const cpu = plan.cpuCells.length > 0 ? await cellsOf(plan.cpuCells) : { cells: [] };
  const options = { cpuTime: values['cpu-time'] };
  /** @type {Results['training'][number][]} */
  const training = [];
  for (const request of plan.training) {
    const work = lessonOf(request.model).then((lesson) =>
      trainingOf(site.url, request, lesson, options),
    );
    training.push(await during(request.name, work));
  }
  /** @type {Results['attention'][number][]} */
  const attention = [];
  for (const request of plan.attention) {
    const work = attentionOf(site.url, request, options);
    attention.push(await during(`attention of ${request.length}`, work));
  }
  bar?.stop();
  return {
    date: new Date().toISOString().slice(0, 10),
    adapter: gpu.adapter,
    browser: gpu.browser,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    threads: cpus().length,
    version: ownVersion(),
    peers: peers(),
    full: plan.full,
    seconds: Math.round((performance.now() - start) / 1000),
    cells: gpu.cells,
    cpuCells: cpu.cells,
    overhead,
    coldStarts,
    counts,
    training,
    attention,
  };
}

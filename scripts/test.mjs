// @ts-check
/**
 * `npm test`: runs all lanes but the long ones, or the named ones: `npm test -- unit gpu`. `npm run test:full` (the name
 * `full`) runs the long ones: `site`, the documentation's links, `deno`, the op suite on a second WebGPU, `firefox`, the same and
 * the page in a real Firefox, `hostile`, all of what `gpu` does a part of, `fuzz`, 200 random calls of every op, `interop`, the
 * examples with other libraries on one device and apps by more bundlers, and `isa`, what the compilers of real GPUs make of every
 * kernel. Lanes of the browser
 * wait for its GPU process much of the time: `gpu` goes beside the others, `e2e` beside what is left when either track has ended.
 *
 * Goes on after a failing lane. The last line reads `N passed, N failed` (with
 * `, N skipped` if there are any); the exit code is 1 if anything failed.
 */
import { spawn } from 'node:child_process';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {{ passed: number, failed: number, skipped: number, notRun?: string }} Counts
 * @typedef {(exitCode: number) => Counts | Promise<Counts>} Counter
 * @typedef {{ name: string, commands: string[][], count: Counter, report?: string, track?: 'beside' | 'last' | 'long' }} Lane
 *
 * What is read of the runners' JSON reports:
 * @typedef {{ status: string, assertionResults: { status: string }[] }} VitestFile
 * @typedef {{
 *   numPassedTests: number, numFailedTests: number, numPendingTests: number,
 *   numTodoTests: number, testResults: VitestFile[]
 * }} VitestReport
 * @typedef {{
 *   stats: { expected: number, unexpected: number, flaky: number, skipped: number }
 * }} PlaywrightReport
 * @typedef {{ passed?: number, failed?: number, skipped?: number, notRun?: string }} OwnReport
 */

const root = fileURLToPath(new URL('..', import.meta.url));
const LANE_TIMEOUT = 90 * 60_000;

/** @param {string} name @param {string} path */
const bin = (name, path) => [process.execPath, join(root, 'node_modules', name, path)];
const tsc = bin('typescript', 'bin/tsc');
const eslint = bin('eslint', 'bin/eslint.js');
const prettier = bin('prettier', 'bin/prettier.cjs');
const vite = bin('vite', 'bin/vite.js');
const vitest = bin('vitest', 'vitest.mjs');
const playwright = bin('playwright', 'cli.js');

/** @type {Counter} */
const oneCheck = (code) => ({ passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 });

/**
 * A preparation, not a check: counts only if it fails.
 * @type {Counter}
 */
const preparation = (code) => ({ passed: 0, failed: code === 0 ? 0 : 1, skipped: 0 });

/**
 * Failures that no single test stands for (a file that does not load, an unhandled error,
 * a run without tests) show in the exit code alone, and count as one.
 * @param {Counts} counts
 * @param {number} code
 * @returns {Counts}
 */
function settle(counts, code) {
  const nothingRan = counts.passed + counts.failed === 0;
  if (nothingRan) console.error('no test ran');
  if (counts.failed === 0 && (nothingRan || code !== 0)) return { ...counts, failed: 1 };
  return counts;
}

/**
 * @param {string} path
 * @returns {Promise<unknown>} undefined if there is none: the runner did not get that far
 */
async function readReport(path) {
  try {
    /** @type {unknown} */
    const report = JSON.parse(await readFile(path, 'utf8'));
    return report;
  } catch {
    console.error(`no readable report at ${path}`);
    return undefined;
  }
}

/**
 * @param {string} project
 * @returns {Lane}
 */
function vitestLane(project) {
  const report = join(root, 'test-results', `${project}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  return {
    name: project,
    commands: [[...vitest, 'run', '--project', project, ...reporters]],
    report,
    async count(code) {
      const json = /** @type {VitestReport | undefined} */ (await readReport(report));
      const files = json?.testResults ?? [];
      // a file that failed although none of its tests did: it did not load, or a hook threw
      const broken = files.filter(
        (file) =>
          file.status === 'failed' && !file.assertionResults.some((t) => t.status === 'failed'),
      );
      return settle(
        {
          passed: json?.numPassedTests ?? 0,
          failed: (json?.numFailedTests ?? 0) + broken.length,
          skipped: (json?.numPendingTests ?? 0) + (json?.numTodoTests ?? 0),
        },
        code,
      );
    },
  };
}

/** @returns {Lane} */
function playwrightLane() {
  const report = join(root, 'test-results', 'e2e.json');
  return {
    name: 'e2e',
    commands: [[...playwright, 'test']],
    report,
    async count(code) {
      const json = /** @type {PlaywrightReport | undefined} */ (await readReport(report));
      const stats = json?.stats;
      return settle(
        {
          passed: stats?.expected ?? 0,
          // a test that passes only sometimes is not one that passes
          failed: (stats?.unexpected ?? 0) + (stats?.flaky ?? 0),
          skipped: stats?.skipped ?? 0,
        },
        code,
      );
    },
  };
}

/**
 * A program that writes a report of its own, also of that it could not run for want of a driver or a browser.
 * @param {string} name
 * @param {(report: string) => string[]} command
 * @param {string[][]} before what it needs
 * @returns {Lane}
 */
function reportingLane(name, command, before = []) {
  const report = join(root, 'test-results', `${name}.json`);
  return {
    name,
    commands: [...before, [process.execPath, ...command(report)]],
    report,
    async count(code) {
      const json = /** @type {OwnReport | undefined} */ (await readReport(report));
      const { passed = 0, failed = 0, skipped = 0, notRun } = json ?? {};
      // without a driver or a browser there is nothing to run it on: neither passed nor failed
      if (notRun !== undefined && code === 0) return { passed, failed, skipped: 1, notRun };
      return settle({ passed, failed, skipped }, code);
    },
  };
}

/** The same steps as `npm run build`. */
const build = [
  [...vite, 'build'],
  [process.execPath, 'scripts/dts.mjs'],
  [process.execPath, 'scripts/single-file.mjs'],
];

/** @type {Lane[]} */
const lanes = [
  {
    name: 'browser',
    // the digits and the texts too: several lanes read them
    commands: [
      [process.execPath, 'scripts/browser.mjs'],
      [process.execPath, 'scripts/mnist.mjs'],
      [process.execPath, 'scripts/moby.mjs'],
      [process.execPath, 'scripts/names.mjs'],
    ],
    count: preparation,
  },
  { name: 'types', commands: [[...tsc, '--noEmit']], count: oneCheck },
  { name: 'lint', commands: [[...eslint, '--max-warnings', '0', '.']], count: oneCheck },
  { name: 'format', commands: [[...prettier, '--check', '.']], count: oneCheck },
  vitestLane('unit'),
  { ...vitestLane('gpu'), track: 'beside' },
  { name: 'build', commands: build, count: oneCheck },
  vitestLane('package'),
  { ...playwrightLane(), track: 'last' },
  // no link that leads nowhere, no export without documentation
  {
    name: 'site',
    commands: [[process.execPath, 'scripts/site.mjs', '--check']],
    count: oneCheck,
    track: 'long',
  },
  {
    ...reportingLane('deno', (report) => ['scripts/deno.mjs', report], build),
    track: 'long',
  },
  {
    // the page in it reads the digits and the texts
    ...reportingLane('firefox', (report) => ['scripts/firefox.mjs', report], [
      [process.execPath, 'scripts/mnist.mjs'],
      [process.execPath, 'scripts/moby.mjs'],
      [process.execPath, 'scripts/names.mjs'],
    ]),
    track: 'long',
  },
  { ...vitestLane('hostile'), track: 'long' },
  { ...vitestLane('fuzz'), track: 'long' },
  { ...vitestLane('interop'), track: 'long' },
  {
    ...reportingLane('isa', (report) => [
      ...['scripts/run-ts.mjs', 'scripts/isa/main.ts'],
      ...['--check', '--report', report],
    ]),
    track: 'long',
  },
];

/**
 * @param {string[]} command
 * @param {((text: string) => void) | undefined} sink what takes the output, where it is not this program's own
 * @returns {Promise<number>} the exit code
 */
function run([file = '', ...args], sink) {
  return new Promise((resolve) => {
    /** @type {import('node:child_process').StdioOptions} */
    const stdio = sink ? ['ignore', 'pipe', 'pipe'] : 'inherit';
    const child = spawn(file, args, { cwd: root, stdio, timeout: LANE_TIMEOUT });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (/** @type {string} */ text) => sink?.(text));
    }
    child.on('error', (error) => {
      console.error(error.message);
      resolve(1);
    });
    child.on('close', (code) => {
      resolve(code ?? 1);
    });
  });
}

/**
 * @param {Lane} lane
 * @param {boolean} aside keeps the output until the lane has ended, so that two do not mix
 */
async function runLane(lane, aside) {
  /** @type {string[]} */
  const kept = [];
  if (!aside) console.log(`\n=== ${lane.name} ===`);
  const start = performance.now();
  if (lane.report) {
    // a report left from an earlier run must not pass for this one's
    await rm(lane.report, { force: true });
    await mkdir(dirname(lane.report), { recursive: true });
  }
  let code = 0;
  for (const command of lane.commands) {
    code = await run(command, aside ? (text) => kept.push(text) : undefined);
    if (code !== 0) break;
  }
  if (aside) console.log(`\n=== ${lane.name} ===\n${kept.join('')}`);
  const counts = await lane.count(code);
  const seconds = (performance.now() - start) / 1000;
  const verdict = counts.failed > 0 ? 'FAILED' : counts.notRun === undefined ? 'ok' : 'not run';
  console.log(`--- ${lane.name}: ${verdict} in ${seconds.toFixed(1)} s`);
  return { name: lane.name, seconds, ...counts };
}

/** What every lane that opens a browser needs is made ready first. */
const full = lanes.flatMap(({ name, track }) => (track === 'long' ? [name] : []));
const wanted = process.argv
  .slice(2)
  .flatMap((name) => (name === 'full' ? ['browser', ...full] : [name]));
const unknown = wanted.filter((name) => !lanes.some((lane) => lane.name === name));
if (unknown.length > 0) {
  console.error(`no such lane: ${unknown.join(', ')}; there are`);
  console.error(lanes.map((lane) => lane.name).join(', '));
  process.exit(2);
}

/** @typedef {Awaited<ReturnType<typeof runLane>>} Result */

/**
 * @param {Lane[]} track
 * @param {boolean} aside
 */
async function runTrack(track, aside) {
  /** @type {Result[]} */
  const done = [];
  for (const lane of track) done.push(await runLane(lane, aside));
  return done;
}

const chosen = lanes.filter(({ name, track }) =>
  wanted.length === 0 ? track !== 'long' : wanted.includes(name),
);
const start = performance.now();
// the browser first: both tracks need it
const ready = await runTrack(
  chosen.filter(({ name }) => name === 'browser'),
  false,
);
const others = chosen.filter(({ name }) => name !== 'browser');
const main = others.filter(({ track }) => track === undefined);
const beside = others.filter(({ track }) => track === 'beside');
const last = others.filter(({ track }) => track === 'last');
const tracks = [runTrack(main, false), runTrack(beside, main.length > 0)];
const end = Promise.race(tracks).then(() => runTrack(last, last.length < others.length));
const results = [...ready, ...(await Promise.all([...tracks, end])).flat()];
results.push(
  ...(await runTrack(
    others.filter(({ track }) => track === 'long'),
    false,
  )),
);

/** @param {'passed' | 'failed' | 'skipped'} key */
const total = (key) => results.reduce((sum, result) => sum + result[key], 0);

/** @param {(string | number)[]} cells */
const row = ([name = '', ...cells]) =>
  String(name).padEnd(10) + cells.map((cell) => String(cell).padStart(10)).join('');
console.log(`\n${row(['lane', 'passed', 'failed', 'skipped', 'seconds'])}`);
for (const { name, passed, failed, skipped, seconds } of results) {
  console.log(row([name, passed, failed, skipped, seconds.toFixed(1)]));
}
console.log(row(['in all', '', '', '', ((performance.now() - start) / 1000).toFixed(1)]));
for (const { name, notRun } of results) {
  if (notRun !== undefined) console.log(`not run: ${name} (${notRun})`);
}

const failed = total('failed');
const skipped = total('skipped');
process.exitCode = failed > 0 ? 1 : 0;
console.log(
  `\n${total('passed')} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
);

// @ts-check
/** The lanes of `npm test` and `npm run test:full`, which scripts/test.mjs runs: what each runs, and how its tests are counted. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

/**
 * @typedef {{ passed: number, failed: number, skipped: number, notRun?: string, failures?: string[] }} Counts
 * `failures`: the names of failed tests and why each failed, in a line.
 * @typedef {(exitCode: number) => Counts | Promise<Counts>} Counter
 * @typedef {{ name: string, commands: string[][], count: Counter, report?: string, env?: Record<string, string>, long?: boolean, needs?: string[] }} Lane
 * `long`: a part of `npm run test:full`. `env`: variables of the environment. `needs`: lanes that have ended before it begins, where they are run at all.
 *
 * What is read of the runners' JSON reports:
 * @typedef {{ status: string, tags: string[], fullName: string, failureMessages: string[] }} VitestTest
 * @typedef {{ status: string, name: string, message: string, assertionResults: VitestTest[] }} VitestFile
 * @typedef {{ testResults: VitestFile[] }} VitestReport
 * @typedef {{
 *   stats: { expected: number, unexpected: number, flaky: number, skipped: number },
 *   suites: PlaywrightSuite[]
 * }} PlaywrightReport
 * @typedef {{ file: string, suites?: PlaywrightSuite[], specs: PlaywrightSpec[] }} PlaywrightSuite
 * @typedef {{ title: string, ok: boolean, tests: { results: { errors: { message?: string }[] }[] }[] }} PlaywrightSpec
 * @typedef {{ passed?: number, failed?: number, skipped?: number, notRun?: string, failures?: string[] }} OwnReport
 */

export const root = fileURLToPath(new URL('..', import.meta.url));
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
 * A failed test in one line: its name, and what was expected.
 * @param {string} name
 * @param {string | undefined} message what the runner says
 */
function failure(name, message = '') {
  const said = stripVTControlCharacters(message)
    .split('\n')
    .filter((line) => line.trim() !== '');
  return `${name}: ${said.slice(0, 4).join(' ').replace(/\s+/g, ' ').slice(0, 300)}`;
}

/**
 * @param {readonly PlaywrightSuite[]} suites
 * @returns {string[]}
 */
function playwrightFailures(suites) {
  return suites.flatMap(({ file, specs, suites: inner = [] }) => [
    ...specs
      .filter(({ ok }) => !ok)
      .map(({ title, tests }) => {
        const errors = tests.flatMap(({ results }) => results.flatMap((result) => result.errors));
        return failure(`${file} ${title}`, errors[0]?.message);
      }),
    ...playwrightFailures(inner),
  ]);
}

/** The file of every size of hostile values: the longest of test/hostile by far. */
const HOSTILE = 'test/hostile/hostile.test.ts';

/** In a project whose tests may have the tag `long`: the lane of the others, and the long lane of those that have it. */
const SHORT = '!long';
const LONG = 'long';

/**
 * @param {string} project
 * @param {{ name?: string, tags?: string, files?: string[] }} [part] which tests of it, all where it is not said: `tags` is
 * `SHORT` or `LONG`, `files` are arguments of vitest's
 * @returns {Lane}
 */
function vitestLane(project, { name = project, tags, files = [] } = {}) {
  const report = join(root, 'test-results', `${name}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const chosen = tags === undefined ? files : ['--tags-filter', tags, ...files];
  /** Whether a test is one of this lane: others stand in its report as skipped. @param {VitestTest} test */
  const isOwn = (test) => tags === undefined || test.tags.includes(LONG) === (tags === LONG);
  return {
    name,
    commands: [[...vitest, 'run', '--project', project, ...chosen, ...reporters]],
    report,
    async count(code) {
      const json = /** @type {VitestReport | undefined} */ (await readReport(report));
      const results = json?.testResults ?? [];
      // a file that failed although none of its tests did: it did not load, or a hook threw
      const broken = results.filter(
        (file) =>
          file.status === 'failed' && !file.assertionResults.some((t) => t.status === 'failed'),
      );
      const own = results.flatMap((file) => file.assertionResults.filter(isOwn));
      const passed = own.filter((test) => test.status === 'passed').length;
      const failed = own.filter((test) => test.status === 'failed').length;
      const failures = [
        ...broken.map(({ name, message }) => failure(name, message)),
        ...results.flatMap(({ assertionResults }) =>
          assertionResults
            .filter((test) => isOwn(test) && test.status === 'failed')
            .map(({ fullName, failureMessages: [message] }) => failure(fullName, message)),
        ),
      ];
      const skipped = own.length - passed - failed;
      return settle({ passed, failed: failed + broken.length, skipped, failures }, code);
    },
  };
}

/**
 * Tests of the page.
 * @param {string} name
 * @param {string[]} chosen how they are chosen
 * @returns {Lane}
 */
function playwrightLane(name, chosen) {
  const report = join(root, 'test-results', `${name}.json`);
  return {
    name,
    commands: [[...playwright, 'test', ...chosen]],
    env: { E2E_REPORT: report },
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
          failures: playwrightFailures(json?.suites ?? []),
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
      const { passed = 0, failed = 0, skipped = 0, notRun, failures = [] } = json ?? {};
      // without a driver or a browser there is nothing to run it on: neither passed nor failed
      if (notRun !== undefined && code === 0) return { passed, failed, skipped: 1, notRun };
      return settle({ passed, failed, skipped, failures }, code);
    },
  };
}

/** The same steps as `npm run data`. */
const data = [
  [process.execPath, 'scripts/mnist.mjs'],
  [process.execPath, 'scripts/moby.mjs'],
  [process.execPath, 'scripts/names.mjs'],
];

/** The same steps as `npm run build`. */
const build = [
  [...vite, 'build'],
  [process.execPath, 'scripts/dts.mjs'],
  [process.execPath, 'scripts/single-file.mjs'],
];

/**
 * In the order in which they begin: what takes longest first, so that no lane is left alone at the end.
 * @type {Lane[]}
 */
export const lanes = [
  {
    name: 'browser',
    // the digits and the texts too: several lanes read them
    commands: [[process.execPath, 'scripts/browser.mjs'], ...data],
    count: preparation,
  },
  vitestLane('gpu', { tags: SHORT }),
  vitestLane('unit', { tags: SHORT }),
  playwrightLane('e2e', ['--grep-invert', '@long']),
  { name: 'lint', commands: [[...eslint, '--max-warnings', '0', '.']], count: oneCheck },
  { name: 'build', commands: build, count: oneCheck },
  { ...vitestLane('package'), needs: ['build'] },
  { name: 'format', commands: [[...prettier, '--check', '.']], count: oneCheck },
  { name: 'types', commands: [[...tsc, '--noEmit']], count: oneCheck },
  { ...vitestLane('hostile', { files: [HOSTILE] }), long: true },
  { ...vitestLane('fuzz'), long: true },
  {
    ...reportingLane('isa', (report) => [
      ...['scripts/run-ts.mjs', 'scripts/isa/main.ts'],
      ...['--check', '--report', report],
    ]),
    long: true,
  },
  // the other files of test/hostile
  { ...vitestLane('hostile', { name: 'cases', files: ['--exclude', HOSTILE] }), long: true },
  { ...playwrightLane('e2e-long', ['--grep', '@long']), long: true },
  { ...vitestLane('gpu', { name: 'gpu-long', tags: LONG }), long: true },
  {
    ...reportingLane('deno', (report) => ['scripts/deno.mjs', report]),
    long: true,
    needs: ['build'],
  },
  { ...vitestLane('interop'), long: true, needs: ['build'] },
  // the page in it reads the digits and the texts
  { ...reportingLane('firefox', (report) => ['scripts/firefox.mjs', report], data), long: true },
  { ...vitestLane('unit', { name: 'unit-long', tags: LONG }), long: true },
  // no link that leads nowhere, no export without documentation
  {
    name: 'site',
    commands: [[process.execPath, 'scripts/site.mjs', '--check']],
    count: oneCheck,
    long: true,
  },
];

// @ts-check
/**
 * `npm test`: runs all lanes but the long ones, or the named ones: `npm test -- unit gpu`. `npm run test:full` (the name
 * `full`) runs the long ones: `hostile`, all of what `gpu` does a part of, `gpu-long` and `unit-long`, what has the tag `long` there, `isa`, what the compilers of real GPUs make of every
 * kernel, `fuzz`, 150 random calls of every op, `deno`, the op suite on a second WebGPU, `interop`, the examples with other
 * libraries on one device and apps by more bundlers, `e2e-long`, what takes long of the page, `firefox`, the op suite and the page in a real Firefox, and `site`, the
 * documentation's links. scripts/lanes.mjs has them all.
 *
 * Two lanes run at a time, since hardly one keeps two cores busy. Goes on after a failing lane. The last line reads
 * `N passed, N failed` (with `, N skipped` if there are any); the exit code is 1 if anything failed.
 */
import { spawn } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { lanes, root } from './lanes.mjs';

/**
 * @typedef {import('./lanes.mjs').Lane} Lane
 * @typedef {Awaited<ReturnType<typeof runLane>>} Result
 */

const LANE_TIMEOUT = 90 * 60_000;

/**
 * @param {string[]} command
 * @param {Record<string, string>} variables of its environment, beside this program's own
 * @param {((text: string) => void) | undefined} sink what takes the output, where it is not this program's own
 * @returns {Promise<number>} the exit code
 */
function run([file = '', ...args], variables, sink) {
  return new Promise((resolve) => {
    const env = { ...process.env, ...variables };
    /** @type {import('node:child_process').StdioOptions} */
    const stdio = sink ? ['ignore', 'pipe', 'pipe'] : 'inherit';
    const child = spawn(file, args, { cwd: root, env, stdio, timeout: LANE_TIMEOUT });
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
  console.log(`\n=== ${lane.name} ===${aside ? ' (its output follows when it has ended)' : ''}`);
  const start = performance.now();
  if (lane.report) {
    // a report left from an earlier run must not pass for this one's
    await rm(lane.report, { force: true });
    await mkdir(dirname(lane.report), { recursive: true });
  }
  let code = 0;
  for (const command of lane.commands) {
    code = await run(command, lane.env ?? {}, aside ? (text) => kept.push(text) : undefined);
    if (code !== 0) break;
  }
  if (aside) console.log(`\n=== output of ${lane.name} ===\n${kept.join('')}`);
  const counts = await lane.count(code);
  const seconds = (performance.now() - start) / 1000;
  const verdict = counts.failed > 0 ? 'FAILED' : counts.notRun === undefined ? 'ok' : 'not run';
  console.log(`--- ${lane.name}: ${verdict} in ${seconds.toFixed(1)} s`);
  return { name: lane.name, seconds, ...counts };
}

/** What several lanes need is made ready first. */
const full = ['browser', 'build', ...lanes.filter(({ long }) => long).map(({ name }) => name)];
const wanted = process.argv.slice(2).flatMap((name) => (name === 'full' ? full : [name]));
const unknown = wanted.filter((name) => !lanes.some((lane) => lane.name === name));
if (unknown.length > 0) {
  console.error(`no such lane: ${unknown.join(', ')}; there are`);
  console.error(lanes.map((lane) => lane.name).join(', '));
  process.exit(2);
}
const chosen = lanes.filter(({ name, long }) =>
  wanted.length === 0 ? !long : wanted.includes(name),
);

/** @type {Map<string, Promise<Result>>} */
const begun = new Map();

/**
 * Takes lane after lane that is left.
 * @param {Iterator<Lane>} left
 * @param {boolean} aside
 */
async function work(left, aside) {
  for (let next = left.next(); !next.done; next = left.next()) {
    const lane = next.value;
    // those are earlier in the order, so they have begun
    for (const name of lane.needs ?? []) await begun.get(name);
    const result = runLane(lane, aside);
    begun.set(lane.name, result);
    await result;
  }
}

const start = performance.now();
// the browser first: most lanes need it
await work(chosen.filter(({ name }) => name === 'browser').values(), false);
const others = chosen.filter(({ name }) => name !== 'browser').values();
await Promise.all([work(others, false), work(others, true)]);
const results = await Promise.all(chosen.flatMap(({ name }) => begun.get(name) ?? []));

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
// again at the end, where a long log is read first
for (const { name, failures = [] } of results) {
  for (const failure of failures) console.log(`failed in ${name}: ${failure}`);
}
for (const { name, notRun } of results) {
  if (notRun !== undefined) console.log(`not run: ${name} (${notRun})`);
}

const failed = total('failed');
const skipped = total('skipped');
process.exitCode = failed > 0 ? 1 : 0;
console.log(
  `\n${total('passed')} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
);

/**
 * `npm run bench:node`: the kernels without their peers, in Node, on the GPU that the npm package `webgpu` (Dawn) finds.
 *
 * In: `-- --op NAME`, `--write FILE.md`; VK_DRIVER_FILES for another Vulkan driver, e.g. SwiftShader's. Out: GB/s, the share
 * of a copy kernel's bandwidth and the cost of a dispatch, by GPU timestamps where the adapter has them.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { nodeGpu } from '../demo/cli/node-gpu.ts';
import { init } from '../src/index.ts';
import { inputsOf, mistake } from './page/cases.ts';
import { quantile } from './page/cell.ts';
import { copyOn, handWrittenOn } from './page/libraries/hand.ts';
import { libraryOn } from './page/libraries/nonlin.ts';
import type { Library, OpName, Runner, Shape } from './page/types.ts';
import { planOf } from './plan.mjs';
import { OPS } from './report.ts';
import { digits, table } from './report-words.ts';
import { GpuClock } from './timestamps.ts';

const { values } = parseArgs({
  options: { op: { type: 'string', multiple: true }, write: { type: 'string' } },
});

const gpu = await nodeGpu();
if (!gpu) throw new Error('bench:node: the npm package `webgpu` does not load here');
const device = await init({ backend: 'webgpu', gpu });
const { gpuDevice } = device;
if (!gpuDevice) throw new Error('bench:node: no GPU device');
const clock = GpuClock.of(gpuDevice);
// Whichever of two copies is faster on a size is its floor.
const copies = [copyOn(gpuDevice, 1), copyOn(gpuDevice, 4)];
const own = libraryOn(device);

/** Bytes that an op has to read and write per element, at least. */
function bytesPerElement(op: OpName): number {
  if (op === 'reluGrad') return 20;
  return op === 'crossEntropy' ? 4 : 8;
}

const ROUNDS = 9;
/** Milliseconds of work per measurement. */
const SPAN = 10;

/** Milliseconds of one call: by the GPU's clock, or by ours. */
async function timeOf({ run, sync }: Runner, calls: number): Promise<number> {
  clock?.start();
  const start = performance.now();
  await run(calls);
  await sync();
  const wall = performance.now() - start;
  return (clock ? await clock.stop() : wall) / calls;
}

interface Measured {
  readonly op: OpName;
  readonly shape: Shape;
  readonly gigabytes: number;
  readonly copyGigabytes: number;
  readonly share: number;
}

async function measure(op: OpName, shape: Shape): Promise<Measured> {
  const inputs = inputsOf(op, shape);
  const runners: { runner: Runner; calls: number; times: number[] }[] = [];
  for (const library of [own, ...copies]) {
    const runner = await library.prepare(op, inputs);
    if (!runner) throw new Error(`no ${op}`);
    const results = await runner.read();
    const wrong = library === own ? mistake(op, inputs, results) : null;
    if (wrong !== null) throw new Error(`${op}: ${wrong}`);
    await timeOf(runner, 2);
    const calls = Math.round(SPAN / (await timeOf(runner, 2)));
    runners.push({ runner, calls: Math.max(1, Math.min(calls, 500)), times: [] });
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (let k = 0; k < runners.length; k++) {
      const one = runners[(k + round) % runners.length];
      one?.times.push(await timeOf(one.runner, one.calls));
    }
  }
  const [time = NaN, ...floors] = runners.map(({ times }) => quantile(times, 0.5));
  for (const { runner } of runners) runner.free();
  const size = shape[0] * shape[1];
  const gigabytes = (size * bytesPerElement(op)) / time / 1e6;
  const copyGigabytes = (size * 8) / Math.min(...floors) / 1e6;
  return { op, shape, gigabytes, copyGigabytes, share: gigabytes / copyGigabytes };
}

const CALLS = 200;

/** Microseconds of one call on 256 elements: until the last is submitted, until all are done, and on the GPU. */
async function overheadOf(
  library: Library,
): Promise<{ submitted: number; total: number; onGpu: number }> {
  const runner = await library.prepare('relu', inputsOf('relu', [1, 256]));
  if (!runner) throw new Error('no relu');
  const times = { submitted: [] as number[], total: [] as number[], onGpu: [] as number[] };
  for (let round = -ROUNDS; round < ROUNDS; round++) {
    clock?.start();
    const start = performance.now();
    await runner.run(CALLS);
    // Batches are submitted in a microtask.
    await Promise.resolve();
    const submitted = performance.now() - start;
    await runner.sync();
    const total = performance.now() - start;
    const onGpu = clock ? await clock.stop() : NaN;
    if (round < 0) continue;
    times.submitted.push(submitted);
    times.total.push(total);
    times.onGpu.push(onGpu);
  }
  runner.free();
  const each = (list: number[]): number => (quantile(list, 0.5) * 1000) / CALLS;
  return { submitted: each(times.submitted), total: each(times.total), onGpu: each(times.onGpu) };
}

const plan = planOf({ ...(values.op ? { op: values.op } : {}), only: ['nonlin'] });
const cells: Measured[] = [];
for (const { op, shape } of plan.cells) {
  cells.push(await measure(op, shape));
  const last = cells.at(-1);
  if (last) console.error(`${op} ${shape.join(' × ')}: ${digits(last.gigabytes)} GB/s`);
}
const overhead = {
  'hand-written': await overheadOf(handWrittenOn(gpuDevice)),
  nonlin: await overheadOf(own),
};
await device.synchronize();

const date = new Date().toISOString().slice(0, 10);
const text = [
  `# Kernels on ${device.name}`,
  `nonlin in Node ${process.version} through Dawn (npm \`webgpu\`), on ${date}; times by ${clock ? 'GPU timestamps' : 'the clock, as the adapter has no timestamps'}. Bytes are what an op has to read and write at least; the share is of a copy kernel's bandwidth on as many elements.`,
  table(
    ['op', 'size', 'GB/s', 'copy GB/s', 'share'],
    cells.map(({ op, shape, gigabytes, copyGigabytes, share }) => [
      OPS[op] ?? op,
      shape.join(' × '),
      digits(gigabytes),
      digits(copyGigabytes),
      `${(100 * share).toFixed(0)} %`,
    ]),
  ),
  `Microseconds per call, ${CALLS} calls of relu on 256 elements:`,
  table(
    ['', 'until submitted', 'until done', 'on the GPU'],
    Object.entries(overhead).map(([name, { submitted, total, onGpu }]) => [
      name,
      digits(submitted),
      digits(total),
      digits(onGpu),
    ]),
  ),
].join('\n\n');
const pretty = await format(text, {
  ...(await resolveConfig('docs/benchmarks.md')),
  parser: 'markdown',
});
console.log(pretty);
await mkdir('test-results', { recursive: true });
const adapter = device.name;
await writeFile(
  'test-results/bench-node.json',
  JSON.stringify({ date, adapter, timestamps: clock !== null, cells, overhead }, null, 1),
);
if (values.write !== undefined) await writeFile(values.write, pretty);
device.dispose();

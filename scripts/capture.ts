// Prints what a step of a small network takes in JavaScript, as it is and captured: time, launches, calls of WebGPU, memory. Dawn's
// null backend takes all commands and does nothing, but takes its time for that: so the steps run once more with functions of
// JavaScript that do nothing in the place of a step's calls of WebGPU.
import { create, globals } from 'webgpu';
import {
  capture,
  init,
  manualSeed,
  mseLoss,
  nn,
  optim,
  scope,
  tensor,
  type Tensor,
} from '../src/index.ts';

Object.assign(globalThis, globals);

const SIZES = [2, 24, 24, 24, 2];
const ROWS = 60;
const STEPS = 2000;
const WARM_UP = 500;

/** Calls of WebGPU since the last reset. */
interface Calls {
  createBuffer: number;
  createBindGroup: number;
  writeBuffer: number;
  submit: number;
}

/** Counts calls of an object's method. */
function count<T extends object>(object: T, name: keyof T & keyof Calls, calls: Calls): void {
  const own: unknown = object[name];
  if (typeof own !== 'function') throw new TypeError(name);
  replace(object, name, (...args: unknown[]): unknown => {
    calls[name]++;
    return Reflect.apply(own, object, args) as unknown;
  });
}

function replace<T extends object>(object: T, name: keyof T, value: unknown): void {
  Object.defineProperty(object, name, { value, configurable: true });
}

/** Leaves nothing of a step's calls of WebGPU. */
function silence(gpu: GPUDevice): void {
  const nothing = (): void => undefined;
  const pass = {
    setPipeline: nothing,
    setBindGroup: nothing,
    dispatchWorkgroups: nothing,
    end: nothing,
  };
  const encoder = {
    beginComputePass: () => pass,
    copyBufferToBuffer: nothing,
    finish: nothing,
  };
  replace(gpu, 'createCommandEncoder', () => encoder);
  replace(gpu, 'pushErrorScope', nothing);
  replace(gpu, 'popErrorScope', () => Promise.resolve(null));
  replace(gpu.queue, 'writeBuffer', nothing);
  replace(gpu.queue, 'submit', nothing);
  replace(gpu.queue, 'onSubmittedWorkDone', () => Promise.resolve());
}

/** The median: the machine may have other work. */
const medianOf = (times: readonly number[]): number =>
  times.toSorted((a, b) => a - b)[times.length >> 1] ?? NaN;

async function measure(captured: boolean): Promise<Record<string, string>> {
  manualSeed(1);
  const device = await init({
    backend: 'webgpu',
    gpu: create(['backend=null']),
    tuning: 'hardware',
  });
  const { gpuDevice: gpu } = device;
  if (!gpu) throw new Error('no GPU device');
  const layers = SIZES.slice(1).flatMap((outputs, i) => [
    new nn.Linear(SIZES[i] ?? 0, outputs, { device }),
    ...(i < SIZES.length - 2 ? [new nn.Tanh()] : []),
  ]);
  const model = new nn.Sequential(...layers);
  const optimizer = new optim.Adam(model.parameters());
  const fn = (x: Tensor, y: Tensor): Tensor => {
    optimizer.zeroGrad();
    const loss = mseLoss(model.forward(x), y);
    loss.backward();
    optimizer.step();
    return loss;
  };
  const step = captured ? capture(fn) : (x: Tensor, y: Tensor) => scope(() => fn(x, y));
  const x = tensor(new Float32Array(2 * ROWS), { shape: [ROWS, 2], device });
  const y = tensor(new Float32Array(2 * ROWS), { shape: [ROWS, 2], device });
  const calls: Calls = { createBuffer: 0, createBindGroup: 0, writeBuffer: 0, submit: 0 };
  count(gpu, 'createBuffer', calls);
  count(gpu, 'createBindGroup', calls);
  count(gpu.queue, 'writeBuffer', calls);
  count(gpu.queue, 'submit', calls);
  /** The microseconds of each of so many steps. */
  const run = async (steps: number): Promise<number[]> => {
    const spent: number[] = [];
    for (let i = 0; i < steps; i++) {
      const start = performance.now();
      const loss = step(x, y);
      // In the microtask between, what waits is submitted.
      await Promise.resolve();
      spent.push(1000 * (performance.now() - start));
      loss.dispose();
      if (i % 100 === 99) await device.synchronize();
    }
    return spent;
  };
  await run(WARM_UP);
  const before = { ...calls, dispatches: device.stats().dispatches };
  const micros = medianOf(await run(STEPS));
  const dispatches = (device.stats().dispatches - before.dispatches) / STEPS;
  const each = (name: keyof Calls): string => ((calls[name] - before[name]) / STEPS).toFixed(2);
  const { liveBytes, pooledBytes } = device.stats();
  silence(gpu);
  await run(WARM_UP);
  const alone = medianOf(await run(STEPS));
  device.dispose();
  return {
    step: captured ? 'captured' : 'as it is',
    launches: dispatches.toFixed(1),
    'µs a step': micros.toFixed(1),
    'µs a launch': (micros / dispatches).toFixed(2),
    'µs of JavaScript alone': alone.toFixed(1),
    'a launch': (alone / dispatches).toFixed(2),
    createBuffer: each('createBuffer'),
    createBindGroup: each('createBindGroup'),
    writeBuffer: each('writeBuffer'),
    submit: each('submit'),
    // What the pool keeps is what a step has in use at once, and what earlier ones had.
    'live kB': (liveBytes / 1024).toFixed(0),
    'live and pooled kB': ((liveBytes + pooledBytes) / 1024).toFixed(0),
  };
}

console.log(
  `\n${SIZES.join('-')}, batch ${ROWS}, Adam; ${STEPS} steps on Dawn's null backend in Node`,
);
console.table([await measure(false), await measure(true)]);
process.exit(0);

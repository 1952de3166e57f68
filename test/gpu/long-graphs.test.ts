// Chains of thousands of ops: what they cost grows with their length, not with its square.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { init, leakyRelu, scope, sum, tensor, type Device, type Tensor } from '../../src/index.ts';
import { LONG } from '../parts.ts';
import { collect } from './collect.ts';
import { requestGpuDevice } from './gpu-device.ts';

let gpu: GPUDevice;
let device: Device;
beforeEach(async () => {
  gpu = await requestGpuDevice();
  device = await init({ device: gpu });
});
afterEach(() => {
  device.dispose();
  gpu.destroy();
});

test('a chain opens few error scopes: browsers take a time that grows with the square of those awaited', async () => {
  let [open, most] = [0, 0];
  const pop = gpu.popErrorScope.bind(gpu);
  gpu.popErrorScope = async () => {
    most = Math.max(most, ++open);
    const error = await pop();
    open--;
    return error;
  };
  const length = 6000;
  const x = tensor(new Float32Array(16).fill(1));
  const y = scope(() => {
    let value = x;
    for (let i = 0; i < length; i++) value = leakyRelu(value, { negativeSlope: 0.5 });
    return value;
  });
  expect([...(await y.data())]).toEqual(new Array(16).fill(1));
  // Three for each of the 12 submits and of the groups of buffers; six thousand ops would open 18,000.
  expect(most).toBeLessThan(450);
});

const LENGTH = 100_000;

function chain(x: Tensor, length: number): Tensor {
  let value = x;
  for (let i = 0; i < length; i++) value = leakyRelu(value, { negativeSlope: 0.5 });
  return value;
}

/** The time that `length` ops take forward, backward and to be released. */
async function train(length: number): Promise<number> {
  const start = performance.now();
  const w = tensor([1, -1], { requiresGrad: true });
  const loss = scope(() => sum(chain(w, length)));
  loss.backward();
  const [first] = (await w.grad?.data()) ?? [];
  expect(first).toBe(1);
  loss.dispose();
  w.grad?.dispose();
  w.dispose();
  return performance.now() - start;
}

for (const [backend, options] of [
  ['webgpu', LONG],
  ['cpu', {}],
] as const) {
  const title = `a chain of ${LENGTH} ops forward, backward and released by its scope (${backend})`;
  test(title, { timeout: 240_000, ...options }, async () => {
    device.dispose();
    device = await (backend === 'cpu' ? init({ backend }) : init({ device: gpu }));
    await train(LENGTH / 10);
    const tenth = await train(LENGTH / 10);
    const whole = await train(LENGTH);
    // Ten times as long; with room for other work on this machine. The square would be a hundred times.
    expect(whole).toBeLessThan(40 * Math.max(tenth, 100));
    expect(device.stats().liveBuffers).toBe(0);
  });
}

test.each(['webgpu', 'cpu'] as const)(
  `a graph of ${LENGTH} ops is released without a backward pass (%s)`,
  async (backend) => {
    device.dispose();
    device = await (backend === 'cpu' ? init({ backend }) : init({ device: gpu }));
    const w = tensor([1, -1], { requiresGrad: true });
    const loss = scope(() => chain(w, LENGTH));
    // Each op has saved its input for backward().
    expect(device.stats().liveBuffers).toBeGreaterThan(LENGTH);
    loss.dispose();
    expect(device.stats().liveBuffers).toBe(1);
  },
  240_000,
);

test.each(['webgpu', 'cpu'] as const)(
  `a graph of ${LENGTH / 5} ops is collected (%s)`,
  async (backend) => {
    device.dispose();
    device = await (backend === 'cpu' ? init({ backend }) : init({ device: gpu }));
    const w = tensor([1, -1], { requiresGrad: true });
    // In a function of its own: nothing on the stack keeps the tensors.
    (() => chain(w, LENGTH / 5))();
    expect(device.stats().liveBuffers).toBeGreaterThan(LENGTH / 5);
    await device.synchronize();
    await collect(() => device.stats().liveBuffers === 1);
    expect(device.stats().liveBuffers).toBe(1);
    // The tensor itself is in use to here.
    w.dispose();
  },
  240_000,
);

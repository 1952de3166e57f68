// Tensors that nobody disposes give their buffers back when they are collected. Needs `--js-flags=--expose-gc`.
import { expect, test } from 'vitest';
import { init, relu, sum, tensor, type Device } from '../../src/index.ts';
import { LONG } from '../parts.ts';
import { train } from '../train.ts';
import { collect } from './collect.ts';

declare const gc: () => void;

/** In a function of its own: nothing on the stack keeps the tensors. */
function makeGarbage(device: Device): void {
  for (let i = 0; i < 50; i++) {
    const x = tensor(new Float32Array(1000), { device, requiresGrad: true });
    sum(relu(x)).backward();
  }
}

test.each(['webgpu', 'cpu'] as const)(
  'collected tensors give their memory back (%s)',
  async (backend) => {
    const device = await init({ backend });
    const before = device.stats().liveBuffers;
    makeGarbage(device);
    // Before anything is awaited: finalizers run between tasks.
    const between = device.stats().liveBuffers;
    await device.synchronize();
    expect(between).toBeGreaterThan(before);
    await collect(() => device.stats().liveBuffers === before);
    expect(device.stats().liveBuffers).toBe(before);
    if (backend === 'webgpu')
      expect(device.stats().pooledBuffers).toBeGreaterThanOrEqual(between - before);
  },
);

test.each(['webgpu', 'cpu'] as const)(
  'a loop that awaits nothing but reads holds no more the longer it runs, without a scope (%s)',
  { timeout: 120_000, ...LONG },
  async (backend) => {
    const device = await init({ backend });
    const [most, perStep] = await train(device, 3000, () => {
      gc();
    });
    // What was made since the last collections: of 3,000 steps, some hundreds.
    expect(most).toBeLessThan(1000 * perStep);
    device.dispose();
  },
);

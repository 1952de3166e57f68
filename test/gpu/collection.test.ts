// Tensors that nobody disposes give their buffers back when they are collected. Needs `--js-flags=--expose-gc`.
import { expect, test } from 'vitest';
import { init, relu, sum, tensor, type Device } from '../../src/index.ts';
import { collect } from './collect.ts';

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

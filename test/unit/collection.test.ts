// Tensors that nobody disposes, in Node: their memory comes back while a loop awaits nothing but reads.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { init, tensor } from '../../src/index.ts';
import { train } from '../train.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

it('training without a scope holds no more the longer it runs', async () => {
  const device = await init({ backend: 'cpu' });
  const [most, perStep] = await train(device, 3000, gc);
  expect(perStep).toBeGreaterThan(2);
  // What was made since the last collections: of 3,000 steps, some hundreds.
  expect(most).toBeLessThan(1000 * perStep);
}, 60_000);

it('large tensors come back sooner: what counts are bytes as well', async () => {
  const device = await init({ backend: 'cpu' });
  const values = new Float32Array(2 ** 18);
  let most = 0;
  for (let i = 0; i < 400; i++) {
    await tensor(values, { device }).data();
    most = Math.max(most, device.stats().liveBytes);
    if (i % 25 === 24) gc();
  }
  // Of 400 MiB.
  expect(most).toBeLessThan(150 * 2 ** 20);
}, 60_000);

it('uploads use memory that came back', async () => {
  const device = await init({ backend: 'cpu' });
  const values = new Float32Array(1000);
  for (let i = 0; i < 50; i++) {
    tensor(values.fill(i), { device }).dispose();
    // Of about the same size.
    tensor(values.subarray(0, 995 - (i % 3)), { device }).dispose();
  }
  expect(device.stats()).toMatchObject({ buffersCreated: 1, pooledBuffers: 1, liveBuffers: 0 });
  expect(await tensor(Float32Array.of(1, 2, 3), { device }).array()).toEqual([1, 2, 3]);
});

it('what is kept for reuse makes room for sizes in use', async () => {
  const device = await init({ backend: 'cpu' });
  const bytes = (mib: number): Float32Array => new Float32Array(mib * 2 ** 18);
  // 128 MiB of sizes that never come again.
  for (let mib = 8; mib < 24; mib++) tensor(bytes(mib), { device }).dispose();
  expect(device.stats().pooledBytes).toBeLessThanOrEqual(128 * 2 ** 20);
  const created = device.stats().buffersCreated;
  for (let i = 0; i < 5; i++) tensor(bytes(40), { device }).dispose();
  expect(device.stats().buffersCreated).toBe(created + 1);
  expect(device.stats().pooledBytes).toBeLessThanOrEqual(128 * 2 ** 20);
});

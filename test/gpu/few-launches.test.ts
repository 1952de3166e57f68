// Steps and clipping of many small parameters: few launches, and the bits of a step for each parameter alone.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { nn, optim, tensor, type Device, type Tensor } from '../../src/index.ts';
import { openGpu } from '../open.ts';

let device: Device;
beforeAll(async () => {
  device = await openGpu();
});
afterAll(() => {
  device.dispose();
});

const COUNT = 20;
const KINDS: Readonly<Record<string, [make: (w: Tensor[]) => optim.Optimizer, launches: number]>> =
  {
    SGD: [(w) => new optim.SGD(w, { lr: 0.1 }), 5],
    'SGD with momentum': [(w) => new optim.SGD(w, { lr: 0.1, momentum: 0.9 }), 10],
    Adam: [(w) => new optim.Adam(w, { lr: 0.1 }), 10],
  };

/** Parameters of odd sizes, every fifth in float16, with gradients. */
const make = (): Tensor[] =>
  Array.from({ length: COUNT }, (_, k) => {
    const dtype = k % 5 === 4 ? 'float16' : 'float32';
    const values = Float32Array.from({ length: 1 + ((k * 13) % 70) }, (__, i) => Math.sin(i + k));
    const w = tensor(values, { device, dtype, requiresGrad: true });
    w.grad = tensor(values.map(Math.cos), { device, dtype });
    return w;
  });

it.each(Object.keys(KINDS))('%s', async (kind) => {
  const [build, most] = KINDS[kind] ?? [];
  if (!build || most === undefined) throw new Error(kind);
  const [all, each] = [make(), make()];
  const together = build(all);
  const alone = each.map((w) => build([w]));
  await device.synchronize();
  const before = device.stats().dispatches;
  together.step();
  await device.synchronize();
  expect(device.stats().dispatches - before).toBeLessThanOrEqual(most);
  together.step();
  for (let step = 0; step < 2; step++) for (const one of alone) one.step();
  for (const [k, w] of all.entries()) {
    expect(await w.data(), `parameter ${k}`).toEqual(await each[k]?.data());
  }
});

it('clipping takes fewer launches than there are gradients', async () => {
  const all = make();
  await device.synchronize();
  const before = device.stats().dispatches;
  nn.utils.clipGradNorm(all, 1);
  await device.synchronize();
  expect(device.stats().dispatches - before).toBeLessThanOrEqual(8);
});

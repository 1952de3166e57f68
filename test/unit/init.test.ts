// Which device init() gives, and what its errors say where there is none.
import { expect, it, vi } from 'vitest';
import { brokenGpus } from '../refusals/setup.ts';
import {
  add,
  DeviceMismatchError,
  DeviceUnavailableError,
  init,
  nn,
  tensor,
} from '../../src/index.ts';

for (const [name, gpu] of Object.entries(brokenGpus)) {
  it(`has the CPU in the place of ${name}, unless WebGPU is asked for`, async () => {
    expect((await init({ gpu })).type).toBe('cpu');
    const error: unknown = await init({ backend: 'webgpu', gpu }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(DeviceUnavailableError);
    expect((error as Error).cause).toBeInstanceOf(Error);
  });
}

it('passes powerPreference on, and asks for an adapter only then', async () => {
  const requestAdapter = vi.fn(() => Promise.resolve(null));
  const gpu = { requestAdapter } as unknown as GPU;
  await init({ gpu, powerPreference: 'low-power' });
  await init({ gpu, backend: 'cpu' });
  // Where there is none, one of compatibility mode is asked for.
  expect(requestAdapter.mock.calls).toEqual([
    [{ powerPreference: 'low-power' }],
    [{ powerPreference: 'low-power', featureLevel: 'compatibility' }],
  ]);
});

it('says of tensors made before it what they are', async () => {
  // Each file of tests has modules of its own, but those above have called init().
  vi.resetModules();
  const fresh = await import('../../src/index.ts');
  const early = fresh.tensor([1]);
  const layer = new fresh.nn.Linear(1, 1);
  await fresh.init({ backend: 'cpu' });
  const late = fresh.tensor([[2]]);
  expect(() => fresh.add(early, late)).toThrow(
    'the first was made on the CPU before init(): call init() first',
  );
  expect(() => fresh.add(late, early)).toThrow(
    'add: b: expected a tensor on the device of the first (cpu), received one on another device (cpu), b was made on the CPU before init(): call init() first',
  );
  expect(() => layer.forward(late)).toThrow('weight was made on the CPU before init()');
  expect(() => fresh.add(early, late)).toThrow(fresh.DeviceMismatchError);
});

it('says nothing of the kind where two devices were made', async () => {
  const one = await init({ backend: 'cpu' });
  const a = tensor([1]);
  await init({ backend: 'cpu' });
  const b = tensor([1]);
  expect(a.device).toBe(one);
  expect(() => add(a, b)).toThrow(DeviceMismatchError);
  expect(() => add(a, b)).not.toThrow(/before init/);
  expect(new nn.Linear(1, 1).weight.device).toBe(b.device);
});

// linearCrossEntropy: memory, results, launches, windows, indices made on the GPU.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  IndexOutOfRangeError,
  init,
  linear,
  linearCrossEntropy,
  OutOfMemoryError,
  Tensor,
  tensor,
  type Device,
} from '../../src/index.ts';
import { openGpu } from '../open.ts';
import { LONG } from '../parts.ts';
import { storageBuffer } from './gpu-device.ts';
import { compare, dataOf, difference, leavesOf, type Problem } from './linear-memory.ts';

it(
  'takes a quarter of the memory of linear followed by crossEntropy',
  { timeout: 120_000, ...LONG },
  () => compare({ rows: 64, features: 32, classes: 16_384 }, 2 ** 20),
);

const small: Problem = { rows: 10, features: 20, classes: 1000 };

/** Loss and gradients on a device. */
async function results(
  device: Device,
  dtype: 'float32' | 'float16',
  options: object = {},
): Promise<number[][]> {
  const { input, linearWeight, linearBias, target } = dataOf(small);
  const { rows, features, classes } = small;
  const leaf = (values: Float32Array, shape: number[]): Tensor =>
    tensor(values, { shape, dtype, device, requiresGrad: true });
  const leaves = [
    leaf(input, [rows, features]),
    leaf(linearWeight, [classes, features]),
    leaf(linearBias, [classes]),
  ] as const;
  const [x, weight, bias] = leaves;
  const classesOf = tensor(target, { dtype: 'int32', device });
  const loss = linearCrossEntropy(x, weight, classesOf, { linearBias: bias, ...options });
  loss.backward();
  const read = [loss, ...leaves.map((one) => one.grad)].map(async (one) => [
    ...((await one?.data()) ?? []),
  ]);
  return Promise.all(read);
}

describe('on one device', () => {
  let device: Device;
  beforeAll(async () => {
    device = await openGpu();
  });
  afterAll(() => {
    device.dispose();
  });

  it('backward() of a mean launches nothing', async () => {
    for (const reduction of ['mean', 'sum'] as const) {
      const { input, linearWeight, linearBias, target } = leavesOf(dataOf(small), small, device);
      const loss = linearCrossEntropy(input, linearWeight, target, { linearBias, reduction });
      await device.synchronize();
      const before = device.stats();
      loss.backward();
      await device.synchronize();
      expect(device.stats().dispatches).toBe(before.dispatches);
      expect(device.stats().liveBuffers).toBe(before.liveBuffers);
      expect([input, linearWeight, linearBias].map(({ grad }) => grad?.size)).toEqual([
        200, 20_000, 1000,
      ]);
    }
  });

  it('gives the same for every budget', async () => {
    for (const dtype of ['float32', 'float16'] as const) {
      const whole = await results(device, dtype, { memoryBudget: 2 ** 30 });
      for (const memoryBudget of [1, 10_000, 20_000, Infinity]) {
        const chunked = await results(device, dtype, { memoryBudget });
        whole.forEach((values, i) => {
          expect(difference(chunked[i] ?? [], values)).toBeLessThan(
            dtype === 'float16' ? 1e-3 : 2e-6,
          );
        });
      }
    }
  });

  it('binds windows of weights past the binding limit', async () => {
    // 80 kB of weights, in windows of 256 classes.
    const limited = await openGpu({ limits: { maxStorageBufferBindingSize: 30_000 } });
    for (const dtype of ['float32', 'float16'] as const) {
      const expected = await results(device, dtype);
      const windowed = await results(limited, dtype);
      windowed.forEach((values, i) => {
        expect(difference(values, expected[i] ?? [])).toBeLessThan(
          dtype === 'float16' ? 1e-3 : 2e-6,
        );
      });
    }
    await limited.synchronize();
    const rows = tensor(new Float32Array(20 * 400), { shape: [400, 20], device: limited });
    const weight = tensor(new Float32Array(20_000), { shape: [1000, 20], device: limited });
    const target = tensor(new Int32Array(400), { dtype: 'int32', device: limited });
    const before = limited.stats();
    expect(() => linearCrossEntropy(rows, weight, target)).toThrow(OutOfMemoryError);
    expect(limited.stats().dispatches).toBe(before.dispatches);
    // The logits alone go by windows.
    expect((await linear(rows, weight).data()).length).toBe(400 * 1000);
    limited.dispose();
  });

  it('keeps the last digit of a confident loss and its gradient', async () => {
    const cpu = await init({ backend: 'cpu' });
    const run = async (on: Device): Promise<number[]> => {
      // Logits 30, 0, 1: the loss is e^-30 + e^-29.
      const input = tensor([[1]], { device: on, requiresGrad: true });
      const weight = tensor([[30], [0], [1]], { device: on, requiresGrad: true });
      const target = tensor([0], { dtype: 'int32', device: on });
      const loss = linearCrossEntropy(input, weight, target);
      loss.backward();
      return [
        await loss.item(),
        ...((await weight.grad?.data()) ?? []),
        ...((await input.grad?.data()) ?? []),
      ];
    };
    const [actual, expected] = [await run(device), await run(cpu)];
    expect(expected[0]).toBeCloseTo(Math.exp(-30) + Math.exp(-29), 18);
    actual.forEach((value, i) => {
      expect(Math.abs(value / (expected[i] ?? NaN) - 1)).toBeLessThan(1e-6);
    });
  });

  it('reports class indices out of range that only the GPU knows', async () => {
    const gpu = device.gpuDevice;
    if (!gpu) throw new Error('no GPU device');
    const target = Tensor.fromBuffer(storageBuffer(gpu, Int32Array.of(1, 7, -100, -1)), {
      shape: [4],
      dtype: 'int32',
      device,
    });
    const leaf = (shape: number[]): Tensor =>
      tensor(
        Array.from({ length: 8 }, (_, i) => i / 4),
        { shape, device, requiresGrad: true },
      );
    for (const reduction of ['none', 'mean'] as const) {
      const [input, weight] = [leaf([4, 2]), leaf([4, 2])];
      const loss = linearCrossEntropy(input, weight, target, { reduction });
      if (reduction === 'none') loss.backward(tensor([1, 1, 1, 1], { device }));
      else loss.backward();
      await expect(loss.data()).rejects.toThrow(IndexOutOfRangeError);
      // Told once; the values are there.
      const values = [...(await loss.data())];
      const grad = [...((await input.grad?.data()) ?? [])];
      if (reduction === 'mean') {
        expect(values).toEqual([NaN]);
        continue;
      }
      expect(values.map(Number.isNaN)).toEqual([false, true, false, true]);
      expect(values[2]).toBe(0);
      expect(grad.map(Number.isNaN)).toEqual([0, 0, 1, 1, 0, 0, 1, 1].map(Boolean));
    }
  });

  it('is compiled ahead by prepare', async () => {
    const fresh = await openGpu();
    await fresh.prepare([linearCrossEntropy]);
    const compiled = fresh.stats().pipelinesCompiled;
    const { input, linearWeight, target } = leavesOf(
      dataOf({ rows: 1, features: 2, classes: 2 }),
      { rows: 1, features: 2, classes: 2 },
      fresh,
    );
    linearCrossEntropy(input, linearWeight, target).backward();
    await fresh.synchronize();
    expect(fresh.stats().pipelinesCompiled).toBe(compiled);
    fresh.dispose();
  });
});

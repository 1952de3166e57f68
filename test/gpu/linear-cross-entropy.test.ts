// linearCrossEntropy against linear followed by crossEntropy: memory, results, launches, windows, indices made on the GPU.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  crossEntropy,
  IndexOutOfRangeError,
  init,
  linear,
  linearCrossEntropy,
  OutOfMemoryError,
  scope,
  Tensor,
  tensor,
  type Device,
} from '../../src/index.ts';
import { randomNumbers } from '../calls.ts';
import { requestGpuDevice, requestLimitedDevice, storageBuffer } from './gpu-device.ts';

interface Problem {
  readonly rows: number;
  readonly features: number;
  readonly classes: number;
}

interface Data {
  readonly input: Float32Array;
  readonly linearWeight: Float32Array;
  readonly linearBias: Float32Array;
  readonly target: Int32Array;
}

function dataOf({ rows, features, classes }: Problem): Data {
  const random = randomNumbers(7);
  const draw = (count: number, scale: number): Float32Array =>
    Float32Array.from({ length: count }, () => (2 * random() - 1) * scale);
  return {
    input: draw(rows * features, 2),
    linearWeight: draw(classes * features, 0.5),
    linearBias: draw(classes, 1),
    target: Int32Array.from({ length: rows }, () => Math.floor(random() * classes)),
  };
}

interface Leaves {
  readonly input: Tensor;
  readonly linearWeight: Tensor;
  readonly linearBias: Tensor;
  readonly target: Tensor;
}

function leavesOf(data: Data, { rows, features, classes }: Problem, device: Device): Leaves {
  const leaf = (values: Float32Array, shape: number[]): Tensor =>
    tensor(values, { shape, device, requiresGrad: true });
  return {
    input: leaf(data.input, [rows, features]),
    linearWeight: leaf(data.linearWeight, [classes, features]),
    linearBias: leaf(data.linearBias, [classes]),
    target: tensor(data.target, { dtype: 'int32', device }),
  };
}

/** Bytes of the buffers a GPUDevice has created and not destroyed, and the most there were at once. */
class Meter {
  now = 0;
  most = 0;

  constructor(device: GPUDevice) {
    const create = device.createBuffer.bind(device);
    device.createBuffer = (descriptor) => {
      const buffer = create(descriptor);
      const destroy = buffer.destroy.bind(buffer);
      buffer.destroy = () => {
        this.now -= descriptor.size;
        destroy();
      };
      this.now += descriptor.size;
      this.most = Math.max(this.most, this.now);
      return buffer;
    };
  }
}

type Values = Record<'loss' | 'input' | 'linearWeight' | 'linearBias', ArrayLike<number>>;

/** Loss and gradients on a device of their own, and the most bytes that were there beyond the leaves and their gradients. */
async function measure(
  problem: Problem,
  data: Data,
  call: (leaves: Leaves) => Tensor,
): Promise<{ values: Values; bytes: number; seconds: number }> {
  const gpu = await requestGpuDevice();
  const meter = new Meter(gpu);
  const device = await init({ device: gpu });
  const leaves = leavesOf(data, problem, device);
  const { input, linearWeight, linearBias } = leaves;
  await device.synchronize();
  const [before, start] = [meter.now, performance.now()];
  const loss = call(leaves);
  loss.backward();
  await device.synchronize();
  const seconds = (performance.now() - start) / 1000;
  const gradients = 4 * (input.size + linearWeight.size + linearBias.size);
  const bytes = meter.most - before - gradients;
  const read = async (of: Tensor | null): Promise<ArrayLike<number>> => (await of?.data()) ?? [];
  const values = {
    loss: await read(loss),
    input: await read(input.grad),
    linearWeight: await read(linearWeight.grad),
    linearBias: await read(linearBias.grad),
  };
  device.dispose();
  gpu.destroy();
  return { values, bytes, seconds };
}

/** The largest difference, relative to the largest element. */
function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let [most, size] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] ?? NaN, b[i] ?? NaN];
    if (!(Math.abs(x - y) <= most)) most = Math.abs(x - y);
    size = Math.max(size, Math.abs(y));
  }
  return most / size;
}

async function compare(problem: Problem, memoryBudget?: number): Promise<void> {
  const data = dataOf(problem);
  const options = memoryBudget === undefined ? {} : { memoryBudget };
  const fused = await measure(problem, data, ({ input, linearWeight, linearBias, target }) =>
    linearCrossEntropy(input, linearWeight, target, { linearBias, ...options }),
  );
  const plain = await measure(problem, data, ({ input, linearWeight, linearBias, target }) =>
    scope(() => crossEntropy(linear(input, linearWeight, { bias: linearBias }), target)),
  );
  const off = {
    loss: difference(fused.values.loss, plain.values.loss),
    input: difference(fused.values.input, plain.values.input),
    linearWeight: difference(fused.values.linearWeight, plain.values.linearWeight),
    linearBias: difference(fused.values.linearBias, plain.values.linearBias),
  };
  const [ours, theirs] = [fused.bytes, plain.bytes].map((bytes) => bytes / 2 ** 20);
  console.info(
    `${problem.rows} × ${problem.features}, ${problem.classes} classes: ${ours?.toFixed(2) ?? ''} MiB in ` +
      `${fused.seconds.toFixed(1)} s, linear and crossEntropy ${theirs?.toFixed(2) ?? ''} MiB in ` +
      `${plain.seconds.toFixed(1)} s; differences ${JSON.stringify(off)}`,
  );
  expect(plain.bytes / fused.bytes).toBeGreaterThan(4);
  for (const one of Object.values(off)) expect(one).toBeLessThan(1e-5);
}

describe('against linear followed by crossEntropy, a quarter of the memory and the same results', () => {
  it('64 × 32, 16,384 classes', { timeout: 120_000 }, () =>
    compare({ rows: 64, features: 32, classes: 16_384 }, 2 ** 20));

  it('64 × 256, 128,256 classes', { timeout: 600_000 }, () =>
    compare({ rows: 64, features: 256, classes: 128_256 }));
});

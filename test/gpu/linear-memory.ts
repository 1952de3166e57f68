// Takes the extents of a last layer, and gives linearCrossEntropy against linear followed by crossEntropy, in memory and
// results.
import { expect } from 'vitest';
import {
  crossEntropy,
  init,
  linear,
  linearCrossEntropy,
  scope,
  tensor,
  type Device,
  type Tensor,
} from '../../src/index.ts';
import { randomNumbers } from '../calls.ts';
import { requestGpuDevice } from './gpu-device.ts';

export interface Problem {
  readonly rows: number;
  readonly features: number;
  readonly classes: number;
}

export interface Data {
  readonly input: Float32Array;
  readonly linearWeight: Float32Array;
  readonly linearBias: Float32Array;
  readonly target: Int32Array;
}

export function dataOf({ rows, features, classes }: Problem): Data {
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

export interface Leaves {
  readonly input: Tensor;
  readonly linearWeight: Tensor;
  readonly linearBias: Tensor;
  readonly target: Tensor;
}

export function leavesOf(data: Data, { rows, features, classes }: Problem, device: Device): Leaves {
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
export class Meter {
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
export function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let [most, size] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] ?? NaN, b[i] ?? NaN];
    if (!(Math.abs(x - y) <= most)) most = Math.abs(x - y);
    size = Math.max(size, Math.abs(y));
  }
  return most / size;
}

/** Against the CPU device in float64, and in memory against linear followed by crossEntropy: at most a quarter. */
export async function compare(problem: Problem, memoryBudget?: number): Promise<void> {
  const data = dataOf(problem);
  const options = memoryBudget === undefined ? {} : { memoryBudget };
  const call = ({ input, linearWeight, linearBias, target }: Leaves): Tensor =>
    linearCrossEntropy(input, linearWeight, target, { linearBias, ...options });
  const fused = await measure(problem, data, call);
  const plain = await measure(problem, data, ({ input, linearWeight, linearBias, target }) =>
    scope(() => crossEntropy(linear(input, linearWeight, { bias: linearBias }), target)),
  );
  const cpu = await init({ backend: 'cpu' });
  const leaves = leavesOf(data, problem, cpu);
  const loss = call(leaves);
  loss.backward();
  const exact: Record<string, ArrayLike<number>> = { loss: await loss.data() };
  for (const name of ['input', 'linearWeight', 'linearBias'] as const)
    exact[name] = (await leaves[name].grad?.data()) ?? [];
  const off = (values: Values): Record<string, number> =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, difference(value, exact[name] ?? [])]),
    );
  const shown = ({ values, bytes, seconds }: typeof fused): string =>
    `${(bytes / 2 ** 20).toFixed(2)} MiB, ${seconds.toFixed(1)} s, off by ${JSON.stringify(off(values))}`;
  const { rows, features, classes } = problem;
  console.info(
    `${rows} × ${features}, ${classes} classes: ${shown(fused)}\nlinear, crossEntropy: ${shown(plain)}`,
  );
  expect(plain.bytes / fused.bytes).toBeGreaterThan(4);
  for (const error of Object.values(off(fused.values))) expect(error).toBeLessThan(1e-5);
}

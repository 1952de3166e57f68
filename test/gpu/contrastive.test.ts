// Contrastive losses of more rows than are in memory at a time: memory, and the same results as in one chunk.
import { expect, it } from 'vitest';
import {
  add,
  arange,
  cat,
  clipLoss,
  crossEntropy,
  init,
  matmul,
  mul,
  ntXentLoss,
  scope,
  supConLoss,
  tensor,
  transpose,
  type Tensor,
} from '../../src/index.ts';
import { randomNumbers } from '../calls.ts';
import { openGpu } from '../open.ts';
import { LONG } from '../parts.ts';
import { Meter } from './linear-memory.ts';
import { requestGpuDevice } from './gpu-device.ts';

function given(x: Tensor | undefined): Tensor {
  if (!x) throw new Error('no embeddings');
  return x;
}

/** The matrix of similarities would be 9 MiB: several chunks of 4 MiB. The size of large batches is planned in test/unit/contrastive.test.ts. */
const ROWS = 1536;
const FEATURES = 512;

function dataOf(count: number, rows: number, features: number): Float32Array[] {
  const random = randomNumbers(7);
  return Array.from({ length: count }, () =>
    Float32Array.from({ length: rows * features }, () => (2 * random() - 1) / 16),
  );
}

it(
  'takes at most twice the memory of embeddings and their gradients',
  { timeout: 120_000, ...LONG },
  async () => {
    const gpu = await requestGpuDevice();
    const meter = new Meter(gpu);
    const device = await init({ device: gpu });
    const leaves = dataOf(2, ROWS, FEATURES).map((values) =>
      tensor(values, { shape: [ROWS, FEATURES], device, requiresGrad: true }),
    );
    await device.synchronize();
    const embeddings = 4 * 2 * ROWS * FEATURES;
    // What uploads hold besides is theirs.
    const others = meter.now - embeddings;
    const loss = clipLoss(given(leaves[0]), given(leaves[1]));
    loss.backward();
    await device.synchronize();
    expect(meter.most - others).toBeLessThanOrEqual(4 * embeddings);
    expect(Number.isFinite(await loss.item())).toBe(true);
    device.dispose();
    gpu.destroy();
  },
);

/** The largest difference of the gradients of two results, relative to the largest element. */
async function difference(a: readonly Tensor[], b: readonly Tensor[]): Promise<number> {
  let [most, size] = [0, 0];
  for (const [i, one] of a.entries()) {
    const [x, y] = [await one.grad?.data(), await b[i]?.grad?.data()];
    if (!x || !y) throw new Error('no gradient');
    expect(x.length).toBe(y.length);
    for (let k = 0; k < x.length; k++) {
      most = Math.max(most, Math.abs((x[k] ?? NaN) - (y[k] ?? NaN)));
      size = Math.max(size, Math.abs(y[k] ?? NaN));
    }
  }
  return most / size;
}

it('has the gradients of the whole matrix, in chunks', { timeout: 120_000 }, async () => {
  const device = await openGpu({ tuning: 'hardware' });
  const leaves = (): Tensor[] =>
    dataOf(2, 1100, 8).map((values) =>
      tensor(values, { shape: [1100, 8], device, requiresGrad: true }),
    );
  // 1,100 rows are two chunks.
  const [own, whole] = [leaves(), leaves()];
  const loss = clipLoss(given(own[0]), given(own[1]), { logitScale: 20 });
  loss.backward();
  const naive = scope(() => {
    const z = mul(matmul(given(whole[0]), transpose(given(whole[1]), 0, 1)), 20);
    const order = arange(1100, { dtype: 'int32', device });
    const both = add(crossEntropy(z, order), crossEntropy(transpose(z, 0, 1), order));
    const half = mul(both, 0.5);
    half.backward();
    return half;
  });
  expect(Math.abs((await loss.item()) - (await naive.item()))).toBeLessThan(1e-5);
  expect(await difference(own, whole)).toBeLessThan(1e-5);
  device.dispose();
});

it('two views are a class of two, in chunks', { timeout: 120_000 }, async () => {
  const rows = 700;
  const device = await openGpu();
  const [first = new Float32Array(), second = new Float32Array()] = dataOf(2, rows, 8);
  const leaf = (values: Float32Array): Tensor =>
    tensor(values, { shape: [rows, 8], device, requiresGrad: true });
  const own = [leaf(first), leaf(second)];
  const others = [leaf(first), leaf(second)];
  const loss = ntXentLoss(given(own[0]), given(own[1]), { temperature: 0.25 });
  loss.backward();
  const classes = scope(() => {
    const features = cat(others, { dim: 0 });
    const labels = Int32Array.from({ length: 2 * rows }, (_, i) => i % rows);
    const result = supConLoss(features, tensor(labels, { dtype: 'int32', device }), {
      temperature: 0.25,
      baseTemperature: 0.25,
    });
    result.backward();
    return result;
  });
  expect(Math.abs((await loss.item()) - (await classes.item()))).toBeLessThan(1e-5);
  expect(await difference(own, others)).toBeLessThan(1e-5);
  device.dispose();
});

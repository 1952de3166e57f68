// Attention on any device: what the generic tests of ops do not see. Memory, dropout, what is left out whatever it holds, and the
// same composed of other ops.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  init,
  LimitError,
  manualSeed,
  matmul,
  scaledDotProductAttention,
  scope,
  softmax,
  tensor,
  type Device,
  type InitOptions,
  type Tensor,
} from '../src/index.ts';
import { randomNumbers } from './calls.ts';
import { inParts } from './parts.ts';

async function gradOf({ grad }: Tensor): Promise<ArrayLike<number> & Iterable<number>> {
  if (!grad) throw new Error('no gradient');
  return grad.data();
}

export function attentionSuite(options: InitOptions): void {
  let device: Device;
  beforeAll(async () => {
    device = await init(options);
  });
  afterAll(() => device.dispose());

  const normal = (shape: readonly number[], seed: number): Tensor => {
    const random = randomNumbers(seed);
    const size = shape.reduce((product, d) => product * d, 1);
    const data = Float32Array.from({ length: size }, () => 2 * random() - 1);
    return tensor(data, { shape, device });
  };
  const transposed = (x: Float32Array | Int32Array, rows: number, columns: number): Tensor =>
    tensor(
      Float32Array.from(x, (_, i) => x[(i % rows) * columns + Math.floor(i / rows)] ?? NaN),
      { shape: [columns, rows], device },
    );

  // One below and one above the edges of tiles, of rows, keys and columns.
  const EXTENTS = [
    [63, 65, 31, 33],
    [65, 63, 33, 31],
    [33, 129, 64, 63],
    [31, 64, 65, 65],
  ] as const;
  for (const [some, tags] of inParts(EXTENTS, 2)) {
    it.each(some)(
      'of %i rows and %i keys is what softmax and matmul give',
      tags,
      async (l, s, e, ev) => {
        const [q, k, v] = [normal([l, e], 1), normal([s, e], 2), normal([s, ev], 3)];
        const y = await scaledDotProductAttention(q, k, v, { scale: 0.25 }).data();
        const scores = matmul(q, transposed(await k.data(), s, e));
        const quarter = tensor(
          (await scores.data()).map((x) => x * 0.25),
          { shape: [l, s], device },
        );
        const other = await matmul(softmax(quarter, { dim: -1 }), v).data();
        const off = Math.max(...y.map((x, i) => Math.abs(x - (other[i] ?? NaN))));
        expect(off).toBeLessThan(2e-6);
      },
    );
  }

  it('drops the same weights forward and backward', async () => {
    const [l, s] = [5, 70];
    const [q, k] = [normal([l, 4], 1), normal([s, 4], 2)];
    // Values that tell which weights are there, and what an upstream gradient of 1 makes of each.
    const eye = tensor(
      Float32Array.from({ length: s * s }, (_, i) => (i % (s + 1) === 0 ? 1 : 0)),
      { shape: [s, s], device, requiresGrad: true },
    );
    manualSeed(3);
    const weights = scaledDotProductAttention(q, k, eye, { dropoutP: 0.5 });
    weights.backward(tensor(new Float32Array(l * s).fill(1), { shape: [l, s], device }));
    const data = await weights.data();
    const dropped = data.filter((w) => w === 0).length;
    expect(dropped).toBeGreaterThan(0.3 * l * s);
    expect(dropped).toBeLessThan(0.7 * l * s);
    const grad = await gradOf(eye);
    for (let j = 0; j < s; j++) {
      let sum = 0;
      for (let i = 0; i < l; i++) sum += data[i * s + j] ?? NaN;
      expect(Math.abs((grad[j * s] ?? NaN) - sum)).toBeLessThan(1e-6);
    }
  });

  it('does not see what a row leaves out, whatever it holds', async () => {
    const [l, s, e] = [3, 70, 4];
    const bad = [2, 40, 69];
    const fill = async (x: Tensor): Promise<Tensor> =>
      tensor(
        (await x.data()).map((value, i) =>
          bad.includes(Math.floor(i / e)) ? ([NaN, Infinity, -Infinity][i % 3] ?? NaN) : value,
        ),
        { shape: x.shape, device, requiresGrad: true },
      );
    const q = normal([l, e], 1);
    const [k, v] = [normal([s, e], 2), normal([s, e], 3)];
    const attnMask = tensor(
      Array.from({ length: s }, (_, j) => (bad.includes(j) ? 0 : 1)),
      { shape: [1, s], dtype: 'int32', device },
    );
    const results = [];
    for (const [key, value] of [
      [k, v],
      [await fill(k), await fill(v)],
    ] as const) {
      const own = [q, key, value].map((x) => {
        const leaf = x.detach();
        leaf.requiresGrad = true;
        return leaf;
      }) as [Tensor, Tensor, Tensor];
      const y = scaledDotProductAttention(...own, { attnMask });
      y.backward(normal([l, e], 4));
      results.push([
        ...(await y.data()),
        ...(await gradOf(own[0])),
        ...(await gradOf(own[1])),
        ...(await gradOf(own[2])),
      ]);
    }
    expect(results[1]).toEqual(results[0]);
  });

  describe('memory', () => {
    it('is that of its tensors, also for long sequences', async () => {
      // The same share as of 2,048 rows and keys: a matrix of scores would be 4 times all else here.
      const shape = [2, 256, 16];
      const parts = [1, 2, 3].map((seed) => normal(shape, seed));
      const [q, k, v] = parts as [Tensor, Tensor, Tensor];
      const before = device.stats();
      const y = scaledDotProductAttention(q, k, v);
      await y.data();
      const after = device.stats();
      const held = after.liveBytes + after.pooledBytes - before.liveBytes - before.pooledBytes;
      const bytes = 2 * 256 * 16 * 4;
      expect(3 * bytes + held).toBeLessThanOrEqual(1.3 * 4 * bytes + 65_536);
      y.dispose();
    });
  });

  it('refuses rows of more than 256 columns on WebGPU, and does nothing then', () => {
    scope(() => {
      const x = normal([2, 260], 1);
      const before = device.stats().liveBuffers;
      if (device.type === 'cpu') scaledDotProductAttention(x, x, x).dispose();
      else expect(() => scaledDotProductAttention(x, x, x)).toThrow(LimitError);
      expect(device.stats().liveBuffers).toBe(before);
    });
  });
}

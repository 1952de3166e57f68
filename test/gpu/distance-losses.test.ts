// Losses of distances and sequences: how many launches they take, and rows whose squares leave the range of float32.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  cosineEmbeddingLoss,
  cosineSimilarity,
  ctcLoss,
  init,
  pairwiseDistance,
  scope,
  tensor,
  tripletMarginLoss,
  tripletMarginWithDistanceLoss,
  type Device,
  type Tensor,
} from '../../src/index.ts';
import { randomNumbers } from '../calls.ts';
import { classOf, ulp32 } from '../ulp.ts';
import { openGpu } from '../open.ts';

let cpu: Device;
let gpus: Record<'as it is' | 'as hardware', Device>;
beforeAll(async () => {
  cpu = await init({ backend: 'cpu' });
  gpus = {
    'as it is': await openGpu(),
    'as hardware': await openGpu({ tuning: 'hardware' }),
  };
});
afterAll(() => {
  for (const device of Object.values(gpus)) device.dispose();
});
const adapters = ['as it is', 'as hardware'] as const;

describe.each(adapters)('launches %s', (adapter) => {
  type Loss = (make: (...shape: number[]) => Tensor, device: Device) => Tensor;
  const labels = (device: Device): Tensor =>
    tensor([1, 2, 2, 1], { shape: [2, 2], dtype: 'int32', device });
  const cases: [string, number, Loss][] = [
    [
      'cosineEmbeddingLoss',
      2,
      (make, device) => cosineEmbeddingLoss(make(2, 8), make(2, 8), tensor([1, -1], { device })),
    ],
    ['tripletMarginLoss', 2, (make) => tripletMarginLoss(make(2, 8), make(2, 8), make(2, 8))],
    [
      'tripletMarginLoss with swap',
      2,
      (make) => tripletMarginLoss(make(2, 7), make(2, 7), make(2, 7), { swap: true, p: 3 }),
    ],
    [
      'tripletMarginWithDistanceLoss with our distance',
      2,
      (make) => tripletMarginWithDistanceLoss(make(2, 8), make(2, 8), make(2, 8)),
    ],
    ['ctcLoss', 3, (make, device) => ctcLoss(make(6, 2, 4), labels(device), [6, 5], [2, 1])],
  ];
  for (const [name, launches, loss] of cases) {
    it(`${name}: ${launches} forward with gradient, none backward`, async () => {
      const device = gpus[adapter];
      await device.synchronize();
      const random = randomNumbers(1);
      const leaves: Tensor[] = [];
      const make = (...shape: number[]): Tensor => {
        const data = Float32Array.from({ length: shape.reduce((n, d) => n * d) }, () => -random());
        const leaf = tensor(data, { shape, device, requiresGrad: true });
        leaves.push(leaf);
        return leaf;
      };
      scope(() => {
        const out = loss(make, device);
        // Commands that wait count once they are submitted.
        return out;
      }).dispose();
      await device.synchronize();
      const before = device.stats().dispatches;
      const out = loss(make, device);
      await device.synchronize();
      expect(device.stats().dispatches - before).toBe(launches);
      out.backward();
      await device.synchronize();
      expect(device.stats().dispatches - before).toBe(launches);
      const grads = leaves.flatMap((leaf) => (leaf.grad ? [leaf.grad] : []));
      expect(grads.length).toBeGreaterThan(0);
      for (const grad of grads) expect((await grad.data()).some((g) => g !== 0)).toBe(true);
      for (const one of [out, ...leaves, ...grads]) one.dispose();
    });
  }
});

describe.each(adapters)('far from 1, %s', (adapter) => {
  const factors = [1e-30, 1e-25, 1e-12, 1, 1e12, 1e25, 3e37];
  const ops: [string, number, (...tensors: Tensor[]) => Tensor][] = [
    ['pairwiseDistance', 2, (x, y) => pairwiseDistance(x, y, { eps: 0 })],
    ['pairwiseDistance of p 3', 2, (x, y) => pairwiseDistance(x, y, { eps: 0, p: 3 })],
    ['pairwiseDistance of p 1.5', 2, (x, y) => pairwiseDistance(x, y, { eps: 0, p: 1.5 })],
    ['pairwiseDistance of p -2', 2, (x, y) => pairwiseDistance(x, y, { eps: 0, p: -2 })],
    ['cosineSimilarity', 2, (x, y) => cosineSimilarity(x, y, { eps: 0 })],
    [
      'tripletMarginLoss',
      3,
      (a, p, n) => tripletMarginLoss(a, p, n, { eps: 0, reduction: 'none' }),
    ],
  ];
  for (const [name, count, op] of ops) {
    for (const n of [6, 8, 96, 129]) {
      it(`${name} of ${n} elements`, async () => {
        const run = async (device: Device): Promise<number[][]> => {
          const random = randomNumbers(n);
          const leaves = Array.from({ length: count }, () => {
            const data = factors.flatMap((f) =>
              Array.from({ length: n }, () => f * (2 * random() - 1)),
            );
            return tensor(data, { shape: [factors.length, n], device, requiresGrad: true });
          });
          const out = op(...leaves);
          out.backward(
            tensor(
              factors.map(() => 1),
              { device },
            ),
          );
          const grads = leaves.flatMap(({ grad }) => (grad ? [grad] : []));
          const values = await Promise.all([out, ...grads].map(async (t) => [...(await t.data())]));
          for (const one of [out, ...leaves, ...grads]) one.dispose();
          return values;
        };
        const expected = await run(cpu);
        const actual = await run(gpus[adapter]);
        const wrong = expected.flatMap((values, k) =>
          values.flatMap((e, i) => {
            const value = actual[k]?.[i] ?? NaN;
            const row = Math.floor(i / (values.length / factors.length));
            const of = values.filter(
              (_, j) => Math.floor(j / (values.length / factors.length)) === row,
            );
            // Of the largest of the row, or what a loss is the difference of.
            const size =
              k === 0 && name.startsWith('triplet')
                ? (factors[row] ?? 1) * n + 1
                : k === 0 && name.startsWith('cos')
                  ? 1
                  : 0;
            const largest = Math.max(...of.map(Math.abs), size);
            const ok =
              classOf(e) === 'finite'
                ? Math.abs(value - e) <= 32 * ulp32(largest) + 2 ** -126
                : classOf(value) === classOf(e);
            return ok ? [] : [`${k === 0 ? 'out' : `grad ${k}`}[${i}] = ${value}, CPU ${e}`];
          }),
        );
        expect(wrong.slice(0, 5)).toEqual([]);
      });
    }
  }
});

// nn.LinearCrossEntropyLoss, and the chunks that linearCrossEntropy is done in.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  crossEntropy,
  DTypeError,
  init,
  linear,
  manualSeed,
  nn,
  OptionError,
  reshape,
  ShapeError,
  tensor,
  type Tensor,
} from '../../src/index.ts';
import { HARDWARE } from '../../src/kernels/tuning.ts';
import {
  chunksOf,
  type LinearCrossEntropyArgs,
} from '../../src/kernels/linear-cross-entropy/args.ts';

const device = await init({ backend: 'cpu' });

async function gradients(tensors: readonly (Tensor | null)[]): Promise<ArrayLike<number>[]> {
  return Promise.all(tensors.map(async (one) => (await one?.grad?.data()) ?? []));
}

describe('nn.LinearCrossEntropyLoss', () => {
  const input = (): Tensor =>
    tensor(
      [
        [1, -2, 0.5],
        [0.25, 3, -1],
      ],
      { device, requiresGrad: true },
    );

  it('has the parameters of PyTorch', () => {
    manualSeed(1);
    const plain = new nn.LinearCrossEntropyLoss(3, 5, { device });
    expect(Object.entries(plain.stateDict()).map(([name, { shape }]) => [name, shape])).toEqual([
      ['linear.weight', [5, 3]],
    ]);
    const weight = tensor([1, 2], { device });
    const full = new nn.LinearCrossEntropyLoss(3, 2, {
      outFeatures: [4],
      bias: true,
      weight,
      device,
      dtype: 'float32',
    });
    expect(Object.entries(full.stateDict()).map(([name, { shape }]) => [name, shape])).toEqual([
      ['weight', [2]],
      ['linear.weight', [8, 3]],
      ['linear.bias', [8]],
    ]);
    expect(full.parameters()).toHaveLength(2);
  });

  it('is crossEntropy of its linear layer, gradients included', async () => {
    for (const outFeatures of [[], [2, 2]]) {
      const module = new nn.LinearCrossEntropyLoss(3, 5, {
        outFeatures,
        bias: true,
        labelSmoothing: 0.1,
        memoryBudget: 1,
        device,
      });
      const { weight, bias } = module.linear;
      const places = outFeatures.reduce((n, d) => n * d, 1);
      const target = tensor(
        Array.from({ length: 2 * places }, (_, i) => i % 5),
        { shape: [2, ...outFeatures], dtype: 'int32', device },
      );
      const [x, y] = [input(), input()];
      const loss = module.forward(x, target);
      loss.backward();
      const grads = await gradients([x, weight, bias]);
      module.zeroGrad();
      if (!bias) throw new Error('no bias');
      const logits = reshape(linear(y, weight, { bias }), [2, 5, ...outFeatures]);
      const expected = crossEntropy(logits, target, { labelSmoothing: 0.1 });
      expected.backward();
      expect(await loss.item()).toBeCloseTo(await expected.item(), 6);
      const others = await gradients([y, weight, bias]);
      others.forEach((values, k) => {
        expect(values.length).toBeGreaterThan(0);
        Array.from(values).forEach((value, i) => {
          expect(grads[k]?.[i]).toBeCloseTo(value, 6);
        });
      });
    }
  });

  it('refuses what does not fit', () => {
    const make =
      (inFeatures: unknown, classes: unknown, options: object = {}) =>
      (): unknown =>
        new nn.LinearCrossEntropyLoss(inFeatures as number, classes as number, options);
    expect(make(0, 2)).toThrow(OptionError);
    expect(make(3, 0)).toThrow(OptionError);
    expect(make(3, 2, { outFeatures: [-1] })).toThrow(ShapeError);
    expect(make(3, 2, { linearBias: null })).toThrow(OptionError);
    expect(make(3, 2, { bias: 1 })).toThrow(OptionError);
    const target = tensor([0, 1], { device, dtype: 'int32' });
    expect(() => new nn.LinearCrossEntropyLoss(2, 2, { device }).forward(input(), target)).toThrow(
      ShapeError,
    );
    const half = new nn.LinearCrossEntropyLoss(3, 2, { device, dtype: 'float16' });
    expect(() => half.forward(input(), target)).toThrow(DTypeError);
  });
});

describe('chunks of classes', () => {
  const extents = fc.record({
    batch: fc.integer({ min: 0, max: 5000 }),
    classes: fc.integer({ min: 1, max: 200_000 }),
    inner: fc.integer({ min: 0, max: 5 }),
    features: fc.integer({ min: 0, max: 1000 }),
    memoryBudget: fc.constantFrom(1, 1e6, 2 ** 23, 2 ** 30, Infinity),
  });
  const caps = {
    maxBindingSize: 2 ** 27,
    maxWorkgroups: 65535,
    offsetAlignment: 256,
    maxInvocations: 256,
    maxWorkgroupSizeX: 256,
    maxWorkgroupStorage: 16384,
    maxStorageBuffers: 8,
    tuning: HARDWARE,
  };

  it('are all classes, in order, within the budget and the binding limit', () => {
    fc.assert(
      fc.property(extents, fc.boolean(), (given, half) => {
        const chunks = chunksOf(given as LinearCrossEntropyArgs, half, caps);
        const { batch, classes, inner, features, memoryBudget } = given;
        let next = 0;
        for (const { first, count } of chunks) {
          expect(first).toBe(next);
          expect(first % 128).toBe(0);
          expect(count).toBeGreaterThan(0);
          next = first + count;
          if (count <= 128) continue;
          const bytes = 4 * inner * (batch + (half ? features : 0));
          expect(count * bytes).toBeLessThanOrEqual(memoryBudget);
          expect(count * 4 * inner * features).toBeLessThanOrEqual(caps.maxBindingSize);
        }
        expect(next).toBe(classes);
      }),
    );
  });

  it('are four of 8 MiB at 64 rows and 128,256 classes', () => {
    const given = { batch: 64, classes: 128_256, inner: 1, features: 256, memoryBudget: 2 ** 23 };
    const chunks = chunksOf(given as LinearCrossEntropyArgs, false, caps);
    expect(chunks.map(({ count }) => count)).toEqual([32_128, 32_128, 32_128, 31_872]);
  });
});

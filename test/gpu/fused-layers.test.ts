// Sequential runs a linear layer and the activation behind it as one kernel: the bits of both, one launch less.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  init,
  linear,
  manualSeed,
  mul,
  nn,
  prelu,
  sum,
  tensor,
  type Device,
  type Tensor,
} from '../../src/index.ts';
import { openGpu } from '../open.ts';
import { inParts } from '../parts.ts';

const ACTIVATIONS: Readonly<Record<string, (device: Device) => nn.Module>> = {
  relu: () => new nn.ReLU(),
  'leakyRelu with an option': () => new nn.LeakyReLU({ negativeSlope: 0.3 }),
  gelu: () => new nn.GELU(),
  tanh: () => new nn.Tanh(),
  'prelu with one slope': (device) => new nn.PReLU({ device }),
  'prelu with a slope for each feature': (device) => new nn.PReLU({ numParameters: 3, device }),
};

/** An activation of the caller's, which is not what it descends from. */
class Doubled extends nn.ReLU {
  override forward(x: Tensor): Tensor {
    return mul(super.forward(x), 2);
  }
}

describe.each(['software', 'hardware'] as const)('by the plan for %s', (tuning) => {
  let device: Device;
  beforeAll(async () => {
    device = await openGpu({ tuning });
  });
  afterAll(() => {
    device.dispose();
  });

  /** Result, gradients and launches of a network, run by `run`. */
  async function measure(
    layer: nn.Linear,
    run: (x: Tensor) => Tensor,
    learned: readonly Tensor[] = [],
  ): Promise<{ values: number[][]; launches: number }> {
    const { dtype } = layer.weight;
    const values = Float32Array.from({ length: 40 }, (_, k) => 2 * Math.sin(k * 1.3));
    const x = tensor(values, { shape: [5, 8], dtype, device, requiresGrad: true });
    const factors = tensor(values.subarray(0, 15), { shape: [5, 3], dtype, device });
    await device.synchronize();
    const before = device.stats().dispatches;
    const y = run(x);
    await device.synchronize();
    const launches = device.stats().dispatches - before;
    sum(mul(y, factors)).backward();
    const all = [y, ...[x, ...layer.parameters(), ...learned].flatMap(({ grad }) => grad ?? [])];
    const bits = await Promise.all(
      all.map(async (one) => [...new Uint32Array(Float32Array.from(await one.data()).buffer)]),
    );
    layer.zeroGrad();
    for (const one of learned) one.grad = null;
    return { values: bits, launches };
  }

  it.each(Object.keys(ACTIVATIONS))('%s', async (name) => {
    for (const bias of [true, false]) {
      const activation = ACTIVATIONS[name]?.(device);
      if (!activation) throw new Error(name);
      manualSeed(1);
      const layer = new nn.Linear(8, 3, { device, bias });
      const model = new nn.Sequential(layer, activation);
      const own = activation.parameters();
      const apart = await measure(layer, (x) => activation.forward(layer.forward(x)), own);
      const together = await measure(layer, (x) => model.forward(x), own);
      expect(together.values).toEqual(apart.values);
      expect(together.launches).toBe(apart.launches - 1);
      model.dispose();
    }
  });

  it("not an activation of the caller's that descends from one", async () => {
    const activation = new Doubled();
    const layer = new nn.Linear(8, 3, { device });
    const model = new nn.Sequential(layer, activation);
    const apart = await measure(layer, (x) => activation.forward(layer.forward(x)));
    expect(await measure(layer, (x) => model.forward(x))).toEqual(apart);
    model.dispose();
  });

  it.each(Object.keys(ACTIVATIONS))('%s in float16: rounded once', async (name) => {
    const cpu = await init({ backend: 'cpu' });
    const dtype = 'float16';
    const half = (size: number, step: number): Float32Array =>
      Float32Array.from({ length: size }, (_, k) => Math.round(256 * Math.sin(k * step)) / 256);
    const [weights, biases] = [half(24, 0.7), half(3, 0.31)];
    const input = half(40, 1.3);
    /** Result, gradients and launches; in float64 on the CPU, whose layers are of float32. */
    const run = async (on: Device, type: 'float32' | 'float16', together: boolean) => {
      const activation = ACTIVATIONS[name]?.(on);
      if (!activation) throw new Error(name);
      if (type === 'float16') for (const one of activation.parameters()) one.dispose();
      const own =
        activation instanceof nn.PReLU
          ? new nn.PReLU({ numParameters: activation.weight.size, device: on, dtype: type })
          : activation;
      const layer = new nn.Linear(8, 3, { device: on, dtype: type });
      const loaded = {
        weight: tensor(weights, { shape: [3, 8], dtype: type, device: on }),
        bias: tensor(biases, { shape: [3], dtype: type, device: on }),
      };
      layer.loadStateDict(loaded);
      const x = tensor(input, { shape: [5, 8], dtype: type, device: on, requiresGrad: true });
      await on.synchronize();
      const before = on.stats().dispatches;
      const y = together ? new nn.Sequential(layer, own).forward(x) : own.forward(layer.forward(x));
      y.backward(tensor(half(15, 1.7), { shape: [5, 3], dtype: type, device: on }));
      await on.synchronize();
      const launches = on.stats().dispatches - before;
      const all = [y, x.grad, ...[...layer.parameters(), ...own.parameters()].map((p) => p.grad)];
      const values = await Promise.all(
        all.map(async (one) => Float32Array.from((await one?.data()) ?? [])),
      );
      return { values, launches };
    };
    const exact = await run(cpu, 'float32', false);
    const apart = await run(device, dtype, false);
    const together = await run(device, dtype, true);
    expect(together.launches).toBeLessThan(apart.launches);
    exact.values.forEach((values, i) => {
      const most = Math.max(...values.map(Math.abs), 2 ** -10);
      expect(together.values[i]?.length).toBe(values.length);
      values.forEach((value, k) => {
        const error = Math.abs((together.values[i]?.[k] ?? NaN) - value);
        // Half a unit of float16 in its last place, and what float32 adds.
        expect(error, `${i}, ${k}`).toBeLessThanOrEqual(2 ** -11 * Math.abs(value) + 4e-6 * most);
      });
    });
    cpu.dispose();
  });
});

// Shapes of x and of prelu's weight; 4,096 bytes of a binding make parts of the larger ones.
const SHAPES: readonly (readonly [x: number[], features: number, slopes: number[]])[] = [
  [[8], 3, [1]],
  [[5, 8], 3, [3]],
  [[2, 5, 8], 3, [1]],
  [[2, 5, 8], 3, [5]],
  [[5, 8], 3, [5, 1]],
  [[70, 64], 130, [130]],
  [[70, 64], 130, [1]],
  [[2, 700], 6, [6]],
  [[1, 4], 1200, [1200]],
];

describe.each([
  ['software', undefined],
  ['hardware', undefined],
  ['hardware', { maxStorageBufferBindingSize: 4096 }],
] as const)('linear with prelu by the plan for %s, limits %j', (tuning, limits) => {
  for (const [shapes, options] of inParts(SHAPES, 3)) {
    it.each(shapes)('x %j, %i features, weight %j', options, async (shape, features, slopes) => {
      const cpu = await init({ backend: 'cpu' });
      const gpu = await openGpu({ tuning, ...(limits ? { limits } : {}) });
      for (const dtype of ['float32', 'float16'] as const) {
        const wave = (own: readonly number[], step: number, device: Device): Tensor => {
          const size = own.reduce((a, b) => a * b, 1);
          const values = Float32Array.from({ length: size }, (_, k) => Math.sin(k * step + step));
          return tensor(values, { shape: own, dtype, device, requiresGrad: true });
        };
        const results = [];
        for (const [device, fused] of [
          [cpu, false],
          [cpu, true],
          [gpu, true],
        ] as const) {
          const x = wave(shape, 1.3, device);
          const weight = wave([features, shape.at(-1) ?? 1], 0.7, device);
          const bias = wave([features], 0.31, device);
          const slope = wave(slopes, 2.1, device);
          const y = fused
            ? linear(x, weight, { bias, activation: prelu, activationOptions: { weight: slope } })
            : prelu(linear(x, weight, { bias }), slope);
          sum(mul(y, y)).backward();
          const all = [y, x.grad, weight.grad, bias.grad, slope.grad];
          results.push(await Promise.all(all.map(async (one) => [...((await one?.data()) ?? [])])));
          for (const one of [x, weight, bias, slope, y]) one.dispose();
        }
        const [apart = [], ...others] = results;
        for (const other of others) {
          apart.forEach((values, i) => {
            const most = Math.max(...values.map(Math.abs));
            const bound = (dtype === 'float16' ? 2e-3 : 4e-6) * Math.max(most, 1);
            expect(other[i]?.length).toBe(values.length);
            values.forEach((value, k) => {
              expect(Math.abs((other[i]?.[k] ?? NaN) - value)).toBeLessThanOrEqual(bound);
            });
          });
        }
      }
      gpu.dispose();
      cpu.dispose();
    });
  }
});

// Sequential runs a linear layer and the activation behind it as one kernel: the bits of both, one launch less.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { manualSeed, mul, nn, sum, tensor, type Device, type Tensor } from '../../src/index.ts';
import { openGpu } from '../open.ts';

const ACTIVATIONS: Readonly<Record<string, () => nn.Module>> = {
  relu: () => new nn.ReLU(),
  'leakyRelu with an option': () => new nn.LeakyReLU({ negativeSlope: 0.3 }),
  gelu: () => new nn.GELU(),
  tanh: () => new nn.Tanh(),
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
    const all = [y, ...[x, ...layer.parameters()].flatMap(({ grad }) => grad ?? [])];
    const bits = await Promise.all(
      all.map(async (one) => [...new Uint32Array(Float32Array.from(await one.data()).buffer)]),
    );
    layer.zeroGrad();
    return { values: bits, launches };
  }

  it.each(Object.keys(ACTIVATIONS))('%s', async (name) => {
    const activation = ACTIVATIONS[name]?.();
    if (!activation) throw new Error(name);
    for (const bias of [true, false]) {
      manualSeed(1);
      const layer = new nn.Linear(8, 3, { device, bias });
      const model = new nn.Sequential(layer, activation);
      const apart = await measure(layer, (x) => activation.forward(layer.forward(x)));
      const together = await measure(layer, (x) => model.forward(x));
      expect(together.values).toEqual(apart.values);
      expect(together.launches).toBe(apart.launches - 1);
      model.dispose();
    }
  });

  it("not an activation of the caller's that descends from one, nor float16", async () => {
    for (const [activation, dtype] of [
      [new Doubled(), 'float32'],
      [new nn.ReLU(), 'float16'],
    ] as const) {
      const layer = new nn.Linear(8, 3, { device, dtype });
      const model = new nn.Sequential(layer, activation);
      const apart = await measure(layer, (x) => activation.forward(layer.forward(x)));
      expect(await measure(layer, (x) => model.forward(x))).toEqual(apart);
      model.dispose();
    }
  });
});

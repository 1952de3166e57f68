// The ops at the limits of WebGPU's compatibility mode, to which the browser holds the device, and with the four storage
// buffers a shader that some drivers have.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  crossEntropy,
  gaussianNllLoss,
  init,
  manualSeed,
  mul,
  nn,
  optim,
  relu,
  softmax,
  sum,
  tensor,
  tripletMarginLoss,
  type Device,
  type Tensor,
} from '../../src/index.ts';
import { conformanceChecks } from '../conformance.ts';
import { conformanceSuite } from '../suites.ts';
import { asHardware } from './gpu-device.ts';
import { requestLowDevice } from './low-device.ts';

// Those of each op, and others, are in test/hostile/conformance.test.ts.
describe('the first golden case of one op in four, as on a hardware adapter', () => {
  const open = async (): Promise<Device> => init({ device: asHardware(await requestLowDevice()) });
  const some = [...conformanceChecks.keys()].filter((_, i) => i % 4 === 0);
  conformanceSuite('webgpu', open, some, Infinity);
});

const PLANS: [string, (device: GPUDevice) => GPUDevice][] = [
  ['as on a hardware adapter', asHardware],
  ['on this adapter', (device) => device],
];

describe.each(PLANS)('at low limits, %s', (_, as) => {
  let cpu: Device;
  let device: Device;
  /** The same with bindings of at most 64 KiB. */
  let narrow: Device;
  beforeAll(async () => {
    cpu = await init({ backend: 'cpu' });
    device = await init({ device: as(await requestLowDevice()) });
    narrow = await init({ device: as(await requestLowDevice(2 ** 16)) });
  });
  afterAll(() => {
    narrow.dispose();
    device.dispose();
  });

  /** Numbers from -2 to 2 that repeat after a while. */
  const numbers = (count: number, seed = 1): Float32Array<ArrayBuffer> =>
    Float32Array.from({ length: count }, (__, i) => ((i * 37 + seed * 11) % 101) / 25 - 2);

  /** Holds what `run` reads on a device to what it reads on the CPU. */
  const compare = async (
    run: (on: Device) => Promise<ArrayLike<number>[]>,
    on: Device,
  ): Promise<void> => {
    const [got, expected] = [await run(on), await run(cpu)];
    expect(got.length).toBe(expected.length);
    got.forEach((values, k) => {
      const wanted = expected[k] ?? [];
      expect(values.length).toBe(wanted.length);
      let worst = 0;
      let scale = 0;
      for (let i = 0; i < values.length; i++) {
        worst = Math.max(worst, Math.abs((values[i] ?? NaN) - (wanted[i] ?? NaN)));
        scale = Math.max(scale, Math.abs(wanted[i] ?? NaN));
      }
      expect(worst, `result ${k}`).toBeLessThanOrEqual(2e-6 * scale);
    });
  };

  const OPTIMIZERS: Record<string, (parameters: Tensor[]) => optim.SGD | optim.Adam> = {
    'SGD with momentum': (p) => new optim.SGD(p, { lr: 0.1, momentum: 0.9, nesterov: true }),
    Adam: (p) => new optim.Adam(p, { lr: 0.1, weightDecay: 0.1 }),
    'Adam with amsgrad': (p) => new optim.Adam(p, { lr: 0.1, amsgrad: true }),
    AdamW: (p) => new optim.AdamW(p, { lr: 0.1 }),
  };
  for (const [name, make] of Object.entries(OPTIMIZERS)) {
    it(name, async () => {
      for (const on of [device, narrow]) {
        await compare(async (target) => {
          const w = tensor(numbers(50_000), { device: target, requiresGrad: true });
          const optimizer = make([w]);
          for (let step = 0; step < 3; step++) {
            optimizer.zeroGrad();
            sum(mul(w, w)).backward();
            optimizer.step();
          }
          return [await w.data()];
        }, on);
      }
    });
  }

  it('losses of more elements than a binding holds, with all their gradients', async () => {
    await compare(async (target) => {
      const count = 100_000;
      const of = (seed: number): Tensor =>
        tensor(numbers(count, seed), { device: target, requiresGrad: true });
      const variance = tensor(
        numbers(count, 3).map((x) => x + 2.5),
        {
          device: target,
          requiresGrad: true,
        },
      );
      const [x, y] = [of(1), of(2)];
      const loss = gaussianNllLoss(x, y, variance, { full: true });
      loss.backward();
      const grads = [x, y, variance].map(({ grad }) => grad ?? loss);
      return Promise.all([loss, ...grads].map((t) => t.data()));
    }, narrow);
  });

  it('cross-entropy of long rows and of many, with weights and smoothing', async () => {
    for (const [rows, classes] of [
      [2, 20_000],
      [3000, 10],
    ] as const) {
      await compare(async (target) => {
        const x = tensor(numbers(rows * classes), {
          shape: [rows, classes],
          device: target,
          requiresGrad: true,
        });
        const labels = tensor(
          Array.from({ length: rows }, (__, i) => (i * 7) % classes),
          { dtype: 'int32', device: target },
        );
        const weight = tensor(
          numbers(classes, 5).map((v) => v + 2.1),
          { device: target },
        );
        const loss = crossEntropy(x, labels, { weight, labelSmoothing: 0.1 });
        loss.backward();
        return Promise.all([loss.data(), (x.grad ?? loss).data()]);
      }, device);
    }
  });

  it('records into an encoder of the caller and prepares what shares a buffer', async () => {
    await device.prepare([relu, softmax]);
    const gpu = device.gpuDevice;
    if (!gpu) throw new Error('not a GPU device');
    await compare(async (target) => {
      const [a, p, n] = [1, 2, 3].map((seed) =>
        tensor(numbers(64, seed), { shape: [8, 8], device: target, requiresGrad: true }),
      );
      if (!a || !p || !n) throw new Error('no tensors');
      const run = (): Tensor => tripletMarginLoss(a, p, n);
      if (target.type === 'cpu') return [await run().data()];
      const encoder = gpu.createCommandEncoder();
      const loss = target.record(encoder, run);
      gpu.queue.submit([encoder.finish()]);
      return [await loss.data()];
    }, device);
  });

  it('a network learns', async () => {
    manualSeed(1);
    const model = new nn.Sequential(
      new nn.Linear(2, 16, { device }),
      new nn.Tanh(),
      new nn.Linear(16, 2, { device }),
    );
    const x = tensor(
      [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ],
      { device },
    );
    const labels = tensor([0, 1, 1, 0], { dtype: 'int32', device });
    const optimizer = new optim.Adam(model.parameters(), { lr: 0.1, amsgrad: true });
    let last = Infinity;
    for (let step = 0; step < 60; step++) {
      optimizer.zeroGrad();
      const loss = crossEntropy(model.forward(x), labels);
      loss.backward();
      optimizer.step();
      if (step === 59) last = (await loss.data())[0] ?? NaN;
    }
    expect(last).toBeLessThan(0.05);
  });
});

describe('init', () => {
  it('opens a device in compatibility mode where there is no other adapter', async () => {
    const asked: (string | undefined)[] = [];
    const gpu = {
      requestAdapter: (options?: GPURequestAdapterOptions) => {
        asked.push(options?.featureLevel);
        if (options?.featureLevel !== 'compatibility') return Promise.resolve(null);
        return navigator.gpu.requestAdapter(options);
      },
    } as GPU;
    const device = await init({ backend: 'webgpu', gpu });
    expect(asked).toEqual([undefined, 'compatibility']);
    expect([...(await relu(tensor([-1, 2], { device })).data())]).toEqual([0, 2]);
    device.dispose();
  });
});

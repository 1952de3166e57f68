// Takes a backend, and gives tests of the adaptive softmax as a module: names, shapes, predictions, what a tail costs.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  adaptiveLogSoftmaxWithLoss,
  argmax,
  IndexOutOfRangeError,
  manualSeed,
  nn,
  OptionError,
  scope,
  ShapeError,
  tensor,
  type Device,
  type Tensor,
} from '../src/index.ts';
import { randomNumbers } from './calls.ts';
import { openOn } from './open.ts';

export function adaptiveSoftmaxSuite(
  backend: 'cpu' | 'webgpu',
  make: () => Promise<Device> = () => openOn(backend),
): void {
  let device: Device;
  beforeAll(async () => {
    device = await make();
    expect(device.type).toBe(backend);
  });
  afterEach(() => device.synchronize());
  afterAll(() => {
    device.dispose();
  });

  const random = (shape: number[], seed: number, requiresGrad = false): Tensor => {
    const next = randomNumbers(seed);
    const data = Array.from({ length: shape.reduce((n, d) => n * d, 1) }, () => 2 * next() - 1);
    return tensor(data, { shape, device, requiresGrad });
  };
  const indices = (...data: number[]): Tensor => tensor(data, { dtype: 'int32', device });

  describe('as a module', () => {
    it('has the parameters of PyTorch, by name and shape', () => {
      const shapes = (module: nn.Module<unknown>): Record<string, readonly number[]> =>
        Object.fromEntries(module.namedParameters().map(([name, { shape }]) => [name, shape]));
      const Class = nn.AdaptiveLogSoftmaxWithLoss;
      const module = new Class(9, 30, [4, 8, 20], { divValue: 1.5, headBias: true, device });
      expect(shapes(module)).toEqual({
        'head.weight': [7, 9],
        'head.bias': [7],
        'tail.0.0.weight': [6, 9],
        'tail.0.1.weight': [4, 6],
        'tail.1.0.weight': [4, 9],
        'tail.1.1.weight': [12, 4],
        'tail.2.0.weight': [2, 9],
        'tail.2.1.weight': [10, 2],
      });
      const plain = new Class(16, 10, [4], { device });
      expect(shapes(plain)).toEqual({
        'head.weight': [5, 16],
        'tail.0.0.weight': [4, 16],
        'tail.0.1.weight': [6, 4],
      });
      module.dispose();
      plain.dispose();
    });

    it('can be a child, with a function of another result', () => {
      class Model extends nn.Module {
        readonly criterion = this.child(
          'criterion',
          new nn.AdaptiveLogSoftmaxWithLoss(4, 6, [2], { device }),
        );
        override forward(x: Tensor): Tensor {
          return this.criterion.logProb(x);
        }
      }
      const model = new Model();
      expect(model.namedParameters().map(([name]) => name)).toContain('criterion.tail.0.1.weight');
      model.dispose();
    });

    for (const [what, args] of [
      ['no cutoffs', [8, 10, []]],
      ['cutoffs that fall', [8, 10, [6, 4]]],
      ['cutoffs that repeat', [8, 10, [4, 4]]],
      ['a cutoff of 0', [8, 10, [0, 4]]],
      ['a cutoff at the number of classes', [8, 10, [4, 10]]],
      ['a fractional cutoff', [8, 10, [4.5]]],
      ['a number for cutoffs', [8, 10, 4]],
      ['no features', [0, 10, [4]]],
      ['one class', [8, 1, [1]]],
      ['clusters without features', [8, 10, [4, 6], { divValue: 8 }]],
      ['a division by 0', [8, 10, [4], { divValue: 0 }]],
      ['a head bias that is no boolean', [8, 10, [4], { headBias: 1 }]],
      ['an unknown option', [8, 10, [4], { div_value: 2 }]],
    ] as const) {
      it(`refuses ${what}`, () => {
        const before = device.stats();
        const options = { ...args[3], device };
        expect(() => {
          Reflect.construct(nn.AdaptiveLogSoftmaxWithLoss, [args[0], args[1], args[2], options]);
        }).toThrow(OptionError);
        expect(device.stats()).toEqual(before);
      });
    }

    it('refuses input and targets that do not fit, and does nothing', () => {
      const module = new nn.AdaptiveLogSoftmaxWithLoss(4, 6, [2], { device, divValue: 2 });
      const x = random([2, 4], 1);
      const [wide, two, three, far] = [
        random([2, 5], 1),
        indices(0, 1),
        indices(0, 1, 2),
        indices(0, 6),
      ];
      const before = device.stats();
      expect(() => module.forward(wide, two)).toThrow(ShapeError);
      expect(() => module.forward(x, three)).toThrow(ShapeError);
      expect(() => module.forward(x, far)).toThrow(IndexOutOfRangeError);
      expect(() => module.logProb(wide)).toThrow(ShapeError);
      expect(() => module.predict(wide)).toThrow(ShapeError);
      expect(device.stats()).toEqual(before);
      for (const one of [x, wide, two, three, far]) one.dispose();
      module.dispose();
    });
  });

  describe('log-probabilities', () => {
    it('add up to 1, and hold those of the targets', async () => {
      manualSeed(3);
      const module = new nn.AdaptiveLogSoftmaxWithLoss(8, 40, [5, 12], { device, divValue: 2 });
      const x = random([6, 8], 2);
      const targets = [0, 4, 5, 11, 12, 39];
      const all = await module.logProb(x).data();
      for (let row = 0; row < 6; row++) {
        const sum = [...all.slice(row * 40, row * 40 + 40)].reduce((a, b) => a + Math.exp(b), 0);
        expect(sum).toBeCloseTo(1, 5);
      }
      const { output, loss } = module.forward(x, indices(...targets));
      const own = targets.map((target, row) => all[row * 40 + target] ?? NaN);
      const given = await output.data();
      own.forEach((value, row) => {
        expect(given[row]).toBeCloseTo(value, 5);
      });
      expect(await loss.item()).toBeCloseTo(-own.reduce((a, b) => a + b, 0) / 6, 5);
    });

    it('predict the most probable class', async () => {
      manualSeed(4);
      const module = new nn.AdaptiveLogSoftmaxWithLoss(6, 30, [3, 9], { device, divValue: 2 });
      const x = tensor(
        (await random([25, 6], 5).data()).map((value) => 20 * value),
        { shape: [25, 6], device },
      );
      const all = await module.logProb(x).data();
      const predicted = module.predict(x);
      expect([predicted.shape, predicted.dtype]).toEqual([[25], 'int32']);
      const classes = [...(await predicted.data())];
      classes.forEach((index, row) => {
        const own = [...all.slice(row * 30, row * 30 + 30)];
        expect(index).toBe(own.indexOf(Math.max(...own)));
      });
      // Of the shortlist, and of clusters.
      expect(Math.min(...classes)).toBeLessThan(3);
      expect(Math.max(...classes)).toBeGreaterThanOrEqual(3);
      expect(module.predict(random([6], 1)).shape).toEqual([]);
    });
  });

  describe('gradients', () => {
    const target = [0, 4, 5, 39];
    const make = (dtype: 'float32' | 'float16') => {
      manualSeed(6);
      const module = new nn.AdaptiveLogSoftmaxWithLoss(4, 40, [4], {
        device,
        dtype,
        divValue: 2,
        headBias: true,
      });
      const next = randomNumbers(7);
      const x = tensor(
        Array.from({ length: 16 }, () => next()),
        { shape: [4, 4], device, dtype, requiresGrad: true },
      );
      return { module, x, parameters: [x, ...module.parameters()] };
    };
    /** Gradients of the input and all weights, after `backward` of what a module returns. */
    const gradients = async (
      dtype: 'float32' | 'float16',
      backward: (result: { output: Tensor; loss: Tensor }) => void,
    ): Promise<number[]> => {
      const { module, x, parameters } = make(dtype);
      const classes = indices(...target);
      const result = module.forward(x, classes);
      classes.dispose();
      backward(result);
      const read = await Promise.all(
        parameters.map(async ({ grad }) => [...((await grad?.data()) ?? [])]),
      );
      module.dispose();
      return read.flat();
    };
    const expectClose = (got: readonly number[], want: readonly number[], error: number): void => {
      expect(got.length).toBe(want.length);
      got.forEach((value, i) => {
        expect(Math.abs(value - (want[i] ?? NaN))).toBeLessThanOrEqual(error);
      });
    };
    const scalar = (value: number, dtype: 'float32' | 'float16'): Tensor =>
      tensor([value], { shape: [], device, dtype });

    it('of the loss, whatever the upstream one, are those of the negative mean of the outputs', async () => {
      const want = await gradients('float32', ({ output }) => {
        output.backward(tensor(new Float32Array(4).fill(-1 / 4), { device }));
      });
      expect(Math.max(...want.map(Math.abs))).toBeGreaterThan(0.1);
      const own = await gradients('float32', ({ loss }) => {
        loss.backward();
      });
      expectClose(own, want, 1e-6);
      const tripled = await gradients('float32', ({ loss }) => {
        loss.backward(scalar(3, 'float32'));
      });
      expectClose(
        tripled,
        want.map((value) => 3 * value),
        3e-6,
      );
    });

    it('of loss and outputs add up', async () => {
      const want = await gradients('float32', ({ loss }) => {
        loss.backward();
      });
      const both = await gradients('float32', ({ loss, output }) => {
        loss.backward();
        output.backward(tensor(new Float32Array(4).fill(-1 / 4), { device }));
      });
      expectClose(
        both,
        want.map((value) => 2 * value),
        2e-6,
      );
    });

    it('in float16 are as near with a loss scaled up', async () => {
      const plain = await gradients('float16', ({ loss }) => {
        loss.backward();
      });
      const scaled = await gradients('float16', ({ loss }) => {
        loss.backward(scalar(1024, 'float16'));
      });
      // What was rounded to 0 or to few bits has more of them.
      const large = scaled.map((value) => value / 1024);
      plain.forEach((value, i) => {
        const want = large[i] ?? NaN;
        expect(Math.abs(value - want)).toBeLessThanOrEqual(Math.abs(want) * 2 ** -10 + 2 ** -24);
      });
      expect(scaled.every(Number.isFinite)).toBe(true);
    });

    it('are not asked of weights that need none', () => {
      const { module, x } = make('float32');
      for (const parameter of module.parameters()) parameter.requiresGrad = false;
      module.forward(x, indices(...target)).loss.backward();
      expect(x.grad?.shape).toEqual([4, 4]);
      expect(module.parameters().every(({ grad }) => grad === null)).toBe(true);
      module.dispose();
    });

    it('leave no memory behind', () => {
      const { module, x, parameters } = make('float16');
      const classes = indices(...target);
      const upstream = scalar(2, 'float16');
      const before = device.stats().liveBuffers;
      const { loss, output } = module.forward(x, classes);
      loss.backward(upstream);
      for (const one of [loss, output]) one.dispose();
      for (const parameter of parameters) {
        expect(parameter.grad).not.toBeNull();
        parameter.grad?.dispose();
      }
      // Fewer, where what an earlier test left is collected meanwhile.
      expect(device.stats().liveBuffers).toBeLessThanOrEqual(before);
      for (const one of [...parameters, classes, upstream]) one.dispose();
    });
  });

  describe('the largest of a row', () => {
    const argmaxOf = (
      data: number[],
      shape: [number, number],
    ): Promise<Float32Array | Int32Array> =>
      argmax(tensor(data, { shape, device }), { dim: 1 }).data();

    it('is the first of equal ones, or NaN', async () => {
      const rows = [
        [1, 3, 3],
        [-0, 0, 0],
        [-Infinity, -Infinity, -Infinity],
        [-3, -1, -2],
        [1, NaN, Infinity],
        [NaN, 5, NaN],
        [-1e-30, -1e-31, -1e30],
        [Infinity, 3e38, Infinity],
      ];
      expect([...(await argmaxOf(rows.flat(), [8, 3]))]).toEqual([1, 0, 0, 1, 1, 0, 1, 0]);
    });

    it('is found in long rows', async () => {
      const n = 70_001;
      const data = new Array<number>(2 * n).fill(0.5);
      data[69_999] = 2;
      data[68_000] = 2;
      data[n + 65_537] = -Infinity;
      expect([...(await argmaxOf(data, [2, n]))]).toEqual([68_000, 0]);
    });
  });

  describe('tails', () => {
    /** 64 rows, of which one is in a cluster of 20,000 classes. */
    const large = (): { x: Tensor; head: Tensor; tail: [Tensor, Tensor] } => ({
      x: random([64, 8], 1, true),
      head: random([5, 8], 2, true),
      tail: [random([2, 8], 3, true), random([20_000, 2], 4, true)],
    });

    it('are computed for their own rows alone', () => {
      scope(() => {
        const { x, head, tail } = large();
        const target = tensor(new Int32Array(64).fill(1).fill(9000, 20, 21), {
          dtype: 'int32',
          device,
        });
        const before = device.stats().liveBytes;
        const loss = adaptiveLogSoftmaxWithLoss(x, target, head, [tail]);
        // The logits of all rows would be 5 MB.
        expect(device.stats().liveBytes - before).toBeLessThan(200_000);
        loss.backward();
        for (const one of [x, head, ...tail]) expect(one.grad?.shape).toEqual(one.shape);
      });
    });

    it('without rows have a gradient of 0', async () => {
      const tail: [Tensor, Tensor] = [random([2, 3], 3, true), random([4, 2], 4, true)];
      const loss = adaptiveLogSoftmaxWithLoss(random([2, 3], 1), indices(0, 1), random([3, 3], 2), [
        tail,
      ]);
      loss.backward();
      for (const { grad } of tail) expect((await grad?.data())?.every((g) => g === 0)).toBe(true);
    });
  });
}

// A caller's encoder that does not run what was recorded into it: the results say so, and nothing else fails.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  add,
  crossEntropy,
  init,
  mseLoss,
  optim,
  OptionError,
  relu,
  sigmoid,
  tensor,
  type Device,
  type Tensor,
} from '../../src/index.ts';
import { requestGpuDevice, requestHardwareLike } from './gpu-device.ts';

for (const [adapter, request] of [
  ['as it is', requestGpuDevice],
  ['as hardware', requestHardwareLike],
] as const) {
  describe(`on an adapter ${adapter}`, () => {
    let gpu: GPUDevice;
    let device: Device;
    beforeEach(async () => {
      gpu = await request();
      device = await init({ device: gpu });
    });
    afterEach(async () => {
      await device.synchronize();
      device.dispose();
      gpu.destroy();
    });

    const submit = (encoder: GPUCommandEncoder): void => {
      gpu.queue.submit([encoder.finish()]);
    };

    it('one that is finished', async () => {
      const x = tensor([-1, 2]);
      const encoder = gpu.createCommandEncoder();
      encoder.finish();
      const y = device.record(encoder, () => relu(x));
      await expect(y.data()).rejects.toThrow(OptionError);
      await expect(y.data()).rejects.toThrow(/device\.record: encoder: .*finished/);
      await expect(sigmoid(y).data()).rejects.toThrow(OptionError);
      expect(await relu(x).array()).toEqual([0, 2]);
    });

    it('one that is finished, and nothing is read: synchronize says so', async () => {
      const encoder = gpu.createCommandEncoder();
      encoder.finish();
      device.record(encoder, () => relu(tensor([1])));
      await expect(device.synchronize()).rejects.toThrow(/device\.record: encoder/);
    });

    it('one of another device', async () => {
      const other = await request();
      const x = tensor([-1, 2]);
      const encoder = other.createCommandEncoder();
      const y = device.record(encoder, () => relu(x));
      other.pushErrorScope('validation');
      const commands = encoder.finish();
      other.queue.submit([commands]);
      expect(await other.popErrorScope()).not.toBeNull();
      await expect(y.data()).rejects.toThrow(OptionError);
      await expect(y.data()).rejects.toThrow(/device\.record: encoder: .*of this device/);
      await expect(add(y, x).data()).rejects.toThrow(OptionError);
      expect(await relu(x).array()).toEqual([0, 2]);
      other.destroy();
    });

    it('one that is submitted after the read: the read fails, a later one does not', async () => {
      const encoder = gpu.createCommandEncoder();
      const y = device.record(encoder, () => relu(tensor([-1, 2])));
      const early = sigmoid(y);
      await expect(y.data()).rejects.toThrow(/submitted before its results are used/);
      await expect(early.data()).rejects.toThrow(OptionError);
      submit(encoder);
      expect(await y.array()).toEqual([0, 2]);
      // It was computed from what was there before.
      await expect(early.data()).rejects.toThrow(OptionError);
      expect((await sigmoid(y).data())[0]).toBe(0.5);
    });

    it('one that the caller spoils', async () => {
      const encoder = gpu.createCommandEncoder();
      const y = device.record(encoder, () => relu(tensor([-1, 2])));
      gpu.pushErrorScope('validation');
      const small = gpu.createBuffer({ size: 4, usage: GPUBufferUsage.COPY_DST });
      encoder.clearBuffer(small, 0, 64);
      submit(encoder);
      expect(await gpu.popErrorScope()).not.toBeNull();
      await expect(y.data()).rejects.toThrow(OptionError);
    });

    it('one that runs: results are there, also through a second one and in place', async () => {
      const x = tensor([-1, 2]);
      const [first, second] = [gpu.createCommandEncoder(), gpu.createCommandEncoder()];
      const y = device.record(first, () => relu(x));
      const z = device.record(second, () => add(y, y));
      const logits = tensor([[1, 2, 3]]);
      const loss = device.record(second, () =>
        crossEntropy(logits, tensor([2], { dtype: 'int32' })),
      );
      submit(first);
      submit(second);
      expect(await z.array()).toEqual([0, 4]);
      expect(await y.array()).toEqual([0, 2]);
      expect(await loss.item()).toBeCloseTo(0.40760597, 6);
      relu(y, { out: y });
      expect(await y.array()).toEqual([0, 2]);
      // Many, as in a loop of frames, of which no result is read before the end.
      let value: Tensor = tensor([0]);
      const one = tensor([1]);
      for (let i = 0; i < 50; i++) {
        const encoder = gpu.createCommandEncoder();
        value = device.record(encoder, () => add(value, one));
        submit(encoder);
      }
      expect(await value.item()).toBe(50);
    });

    describe('ops recorded into a second encoder that read results of a first', () => {
      /** `sum` and `plain` are recorded into the second encoder; only `sum` reads what the first computes. */
      const recordBoth = (): {
        first: GPUCommandEncoder;
        second: GPUCommandEncoder;
        base: Tensor;
        sum: Tensor;
        plain: Tensor;
      } => {
        const x = tensor([-1, 2]);
        const [first, second] = [gpu.createCommandEncoder(), gpu.createCommandEncoder()];
        const base = device.record(first, () => relu(x));
        const [sum, plain] = device.record(second, () => [add(base, x), relu(x)] as const);
        return { first, second, base, sum, plain };
      };
      const notRun = /device\.record: encoder: .*submitted before its results are used/;
      const expectNotRun = async (y: Tensor): Promise<void> => {
        await expect(y.data()).rejects.toThrow(OptionError);
        await expect(y.data()).rejects.toThrow(notRun);
      };

      it('have their results where both are submitted in order', async () => {
        const { first, second, base, sum, plain } = recordBoth();
        submit(first);
        submit(second);
        expect(await sum.array()).toEqual([-1, 4]);
        expect(await base.array()).toEqual([0, 2]);
        expect(await plain.array()).toEqual([0, 2]);
        expect(await add(sum, base).array()).toEqual([-1, 6]);
      });

      it.each(['never finished', 'finished and never submitted'])(
        'fail where the first is %s',
        async (how) => {
          const { first, second, base, sum, plain } = recordBoth();
          if (how !== 'never finished') first.finish();
          submit(second);
          await expectNotRun(sum);
          await expectNotRun(base);
          // What reads them in turn, on its own or through a third encoder, fails as well; what does not is there.
          await expectNotRun(sigmoid(sum));
          const third = gpu.createCommandEncoder();
          const further = device.record(third, () => sigmoid(sum));
          submit(third);
          await expectNotRun(further);
          expect(await plain.array()).toEqual([0, 2]);
        },
      );

      it('fail where the first is submitted after the second, whose results stay wrong', async () => {
        const { first, second, base, sum, plain } = recordBoth();
        submit(second);
        submit(first);
        expect(await base.array()).toEqual([0, 2]);
        await expectNotRun(sum);
        await expectNotRun(sigmoid(sum));
        expect(await plain.array()).toEqual([0, 2]);
      });

      it('fail where one of several encoders that they read has not run', async () => {
        const x = tensor([-1, 2]);
        const encoders = [1, 2, 3].map(() => gpu.createCommandEncoder());
        const parts = encoders.map((encoder) => device.record(encoder, () => relu(x)));
        const last = gpu.createCommandEncoder();
        const [a, b, c] = parts;
        if (!a || !b || !c) throw new TypeError('three parts');
        const [three, again, plain] = device.record(last, () => {
          const abc = add(add(a, b), c);
          return [abc, add(abc, a), relu(x)] as const;
        });
        encoders.slice(0, 2).forEach(submit);
        submit(last);
        encoders.slice(2).forEach(submit);
        await expectNotRun(three);
        await expectNotRun(again);
        expect(await plain.array()).toEqual([0, 2]);
        const repeat = gpu.createCommandEncoder();
        const right = device.record(repeat, () => add(add(a, b), c));
        submit(repeat);
        expect(await right.array()).toEqual([0, 6]);
      });

      it('have their results after many steps that each read the two before', async () => {
        let [before, value] = [tensor([0]), tensor([1])];
        for (let i = 0; i < 30; i++) {
          const encoder = gpu.createCommandEncoder();
          const next = device.record(encoder, () => relu(add(before, value)));
          submit(encoder);
          [before, value] = [value, next];
        }
        expect(await value.item()).toBe(1346269);
      });

      it('a step recorded with a gradient that has not run leaves no parameter that looks right', async () => {
        const w = tensor([1, 2], { requiresGrad: true });
        const optimizer = new optim.SGD([w], { lr: 1 });
        const [first, second] = [gpu.createCommandEncoder(), gpu.createCommandEncoder()];
        device.record(first, () => {
          mseLoss(w, tensor([3, 3]), { reduction: 'sum' }).backward();
        });
        device.record(second, () => {
          optimizer.step();
        });
        submit(second);
        await expectNotRun(w);
      });

      it('a step recorded with a gradient that has run counts', async () => {
        const w = tensor([1, 2], { requiresGrad: true });
        const optimizer = new optim.SGD([w], { lr: 1 });
        const [first, second] = [gpu.createCommandEncoder(), gpu.createCommandEncoder()];
        device.record(first, () => {
          mseLoss(w, tensor([3, 3]), { reduction: 'sum' }).backward();
        });
        const bad = gpu.createCommandEncoder();
        bad.finish();
        device.record(bad, () => {
          optimizer.step();
        });
        await expect(device.synchronize()).rejects.toThrow(OptionError);
        device.record(second, () => {
          optimizer.step();
        });
        submit(first);
        submit(second);
        expect(await w.array()).toEqual([5, 4]);
        expect(optimizer.stateDict().steps).toEqual([1]);
      });
    });

    it('parameters keep their values where a gradient was recorded and has not run', async () => {
      const w = tensor([1, 2], { requiresGrad: true });
      const optimizer = new optim.Adam([w], { lr: 0.5 });
      const encoder = gpu.createCommandEncoder();
      encoder.finish();
      device.record(encoder, () => {
        mseLoss(w, tensor([3, 3])).backward();
      });
      optimizer.step();
      await expect(w.grad?.data()).rejects.toThrow(OptionError);
      expect(await w.array()).toEqual([1, 2]);
      expect(optimizer.stateDict().steps).toEqual([0]);
    });

    it('a step recorded into an encoder counts if that runs', async () => {
      const w = tensor([1, 2], { requiresGrad: true });
      const optimizer = new optim.SGD([w], { lr: 1, momentum: 0.9 });
      mseLoss(w, tensor([3, 3]), { reduction: 'sum' }).backward();
      const bad = gpu.createCommandEncoder();
      bad.finish();
      device.record(bad, () => {
        optimizer.step();
      });
      await expect(device.synchronize()).rejects.toThrow(OptionError);
      expect(await w.array()).toEqual([1, 2]);
      expect(optimizer.stateDict().steps).toEqual([0]);
      const good = gpu.createCommandEncoder();
      device.record(good, () => {
        optimizer.step();
      });
      submit(good);
      expect(await w.array()).toEqual([5, 4]);
      expect(optimizer.stateDict().steps).toEqual([1]);
    });

    it('what is no encoder, and what is no function, is refused', async () => {
      const refused = (encoder: unknown, fn: unknown) => (): void => {
        device.record(encoder as GPUCommandEncoder, fn as () => number);
      };
      for (const encoder of [null, undefined, {}, 1, gpu]) {
        expect(refused(encoder, () => 1)).toThrow(OptionError);
        expect(refused(encoder, () => 1)).toThrow(
          /device\.record: encoder: expected a GPUCommandEncoder/,
        );
      }
      const encoder = gpu.createCommandEncoder();
      for (const fn of [null, undefined, 1, {}]) {
        expect(refused(encoder, fn)).toThrow(OptionError);
        expect(refused(encoder, fn)).toThrow(/device\.record: fn: expected a function/);
      }
      expect(await relu(tensor([-1, 2])).array()).toEqual([0, 2]);
    });

    it('a function that throws, or is asynchronous, leaves nothing half recorded', async () => {
      const x = tensor([-1, 2]);
      const out = tensor([5, 6]);
      for (const fn of [
        (): never => {
          relu(x, { out });
          sigmoid(x);
          throw new TypeError('mine');
        },
        (): Promise<void> => {
          relu(x, { out });
          return Promise.resolve();
        },
      ]) {
        const encoder = gpu.createCommandEncoder();
        expect(() => device.record(encoder, fn)).toThrow(/mine|a synchronous function/);
        submit(encoder);
        expect(await out.array()).toEqual([5, 6]);
      }
      // A pipeline that was first asked for there is compiled when it is needed.
      expect((await sigmoid(x).data()).length).toBe(2);
      const before = tensor([5, 6]);
      expect(() => {
        relu(x, { out: before });
        device.record(gpu.createCommandEncoder(), () => {
          throw new TypeError('mine');
        });
      }).toThrow('mine');
      expect(await before.array()).toEqual([0, 2]);
    });
  });
}

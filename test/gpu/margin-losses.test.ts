// Margin losses and the adaptive softmax on the GPU: class indices that the host does not know, and what is launched.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  adaptiveLogSoftmaxWithLoss,
  IndexOutOfRangeError,
  multilabelMarginLoss,
  multilabelSoftMarginLoss,
  multiMarginLoss,
  nn,
  Tensor,
  tensor,
  type Device,
} from '../../src/index.ts';
import { randomNumbers } from '../calls.ts';
import { openGpu } from '../open.ts';
import { gpuOf, storageBuffer } from './gpu-device.ts';

for (const [adapter, wanted] of [
  ['on this adapter', {}],
  ['as on a hardware adapter', { tuning: 'hardware' }],
] as const) {
  describe(adapter, () => {
    let device: Device;
    beforeEach(async () => {
      device = await openGpu(wanted);
    });
    afterEach(async () => {
      await device.synchronize();
      device.dispose();
    });

    /** Indices as if the GPU had computed them. */
    const unknown = (shape: number[], indices: number[]): Tensor =>
      Tensor.fromBuffer(storageBuffer(gpuOf(device), new Int32Array(indices)), {
        shape,
        dtype: 'int32',
      });
    const random = (shape: number[], seed: number): Tensor => {
      const next = randomNumbers(seed);
      const data = Array.from({ length: shape.reduce((n, d) => n * d, 1) }, () => 4 * next() - 2);
      return tensor(data, { shape, requiresGrad: true });
    };
    /** Rows long enough for a workgroup each, where the adapter is for that. */
    const classes = 2000;
    const isNaNs = (list: Float32Array | Int32Array): boolean => list.every(Number.isNaN);
    const isFinites = (list: Float32Array | Int32Array): boolean => list.every(Number.isFinite);

    describe('class indices that only the GPU knows', () => {
      it('are used where they are in range', async () => {
        const [a, b] = [random([3, classes], 1), random([3, classes], 1)];
        const [host, given] = [
          multiMarginLoss(a, tensor([2, 0, 1999], { dtype: 'int32' })),
          multiMarginLoss(b, unknown([3], [2, 0, 1999])),
        ];
        expect(await given.item()).toBe(await host.item());
        const lists = new Array<number>(3 * classes).fill(-1);
        lists.splice(0, 3, 5, 1999, 0);
        const [x, y] = [random([3, classes], 1), random([3, classes], 1)];
        const [known, other] = [
          multilabelMarginLoss(x, tensor(lists, { shape: [3, classes], dtype: 'int32' })),
          multilabelMarginLoss(y, unknown([3, classes], lists)),
        ];
        expect(await other.item()).toBe(await known.item());
      });

      for (const bad of [2000, -1, -2147483648, 2147483647]) {
        it(`are reported at the next read, and make NaN of their row: ${bad}`, async () => {
          const x = random([3, classes], 1);
          const losses = multiMarginLoss(x, unknown([3], [2, bad, 1]), { reduction: 'none' });
          await expect(losses.data()).rejects.toThrow(/multiMarginLoss: target: .*0 to 1999/);
          const values = await losses.data();
          expect([...values].map(Number.isNaN)).toEqual([false, true, false]);
          losses.backward(tensor([1, 1, 1]));
          await expect(x.grad?.data()).rejects.toThrow(IndexOutOfRangeError);
          const grad = (await x.grad?.data()) ?? new Float32Array();
          expect(isNaNs(grad.slice(classes, 2 * classes))).toBe(true);
          expect(isFinites(grad.slice(0, classes)) && isFinites(grad.slice(2 * classes))).toBe(
            true,
          );
        });
      }

      for (const bad of [2000, -2, -2147483648, 2147483647]) {
        it(`are reported in lists of labels: ${bad}`, async () => {
          const lists = new Array<number>(3 * classes).fill(-1);
          lists.splice(classes, 3, 7, bad, 3);
          const x = random([3, classes], 1);
          const losses = multilabelMarginLoss(x, unknown([3, classes], lists), {
            reduction: 'none',
          });
          await expect(losses.data()).rejects.toThrow(/multilabelMarginLoss: target: .*0 to 1999/);
          expect([...(await losses.data())].map(Number.isNaN)).toEqual([false, true, false]);
          losses.backward(tensor([1, 1, 1]));
          await expect(x.grad?.data()).rejects.toThrow(IndexOutOfRangeError);
          const grad = (await x.grad?.data()) ?? new Float32Array();
          expect(isNaNs(grad.slice(classes, 2 * classes))).toBe(true);
          expect(isFinites(grad.slice(0, classes)) && isFinites(grad.slice(2 * classes))).toBe(
            true,
          );
        });
      }

      it('never read out of the weights', async () => {
        const weight = Tensor.fromBuffer(
          storageBuffer(gpuOf(device), new Float32Array([1, 1, 1, 1e30, 1e30])),
          { shape: [3] },
        );
        const loss = multiMarginLoss(random([2, 3], 1), unknown([2], [0, 3]), {
          weight,
          reduction: 'none',
        });
        await expect(loss.data()).rejects.toThrow(IndexOutOfRangeError);
        const values = await loss.data();
        expect(values[1]).toBeNaN();
        expect(values[0]).toBeLessThan(10);
      });
    });

    describe('launches', () => {
      /** Dispatches of forward, and of backward. */
      const counted = async (loss: (x: Tensor) => Tensor): Promise<[number, number]> => {
        const launched = async (): Promise<number> => {
          await device.synchronize();
          return device.stats().dispatches;
        };
        const start = await launched();
        const result = loss(random([8, 10], 1));
        const between = await launched();
        result.backward();
        return [between - start, (await launched()) - between];
      };

      for (const reduction of ['mean', 'sum'] as const) {
        it(`of a ${reduction} write the gradient ahead: backward launches nothing`, async () => {
          const target = tensor([0, 1, 2, 3, 4, 5, 6, 7], { dtype: 'int32' });
          const labels = tensor(new Int32Array(80).fill(-1), { shape: [8, 10], dtype: 'int32' });
          const y = random([8, 10], 2);
          const options = { reduction };
          expect(await counted((x) => multiMarginLoss(x, target, options))).toEqual([2, 0]);
          expect(await counted((x) => multilabelMarginLoss(x, labels, options))).toEqual([3, 0]);
          expect(await counted((x) => multilabelSoftMarginLoss(x, y, options))).toEqual([2, 0]);
          const [head, first, second] = [random([3, 10], 3), random([4, 10], 4), random([6, 4], 5)];
          const [, later] = await counted((x) =>
            adaptiveLogSoftmaxWithLoss(x, target, head, [[first, second]], options),
          );
          expect(later).toBe(0);
        });
      }
    });

    describe('an adaptive softmax of targets that only the GPU knows', () => {
      const layers = (): [Tensor, [Tensor, Tensor][]] => [
        random([5, 6], 2),
        [
          [random([3, 6], 3), random([5, 3], 4)],
          [random([2, 6], 5), random([40, 2], 6)],
        ],
      ];
      /** The losses and all gradients. */
      const outcome = async (x: Tensor, target: Tensor): Promise<number[][]> => {
        const [head, tails] = layers();
        const losses = adaptiveLogSoftmaxWithLoss(x, target, head, tails, { reduction: 'none' });
        losses.backward(tensor(Float32Array.from({ length: losses.size }, (_, i) => i - 2.5)));
        const read = [losses, x.grad, head.grad, ...tails.flat().map(({ grad }) => grad)];
        return Promise.all(read.map(async (one) => [...((await one?.data()) ?? [])]));
      };
      const targets = [0, 2, 3, 7, 8, 47];

      it('is what it is of those that the host knows', async () => {
        const host = await outcome(random([6, 6], 1), tensor(targets, { dtype: 'int32' }));
        const given = await outcome(random([6, 6], 1), unknown([6], targets));
        given.forEach((values, k) => {
          expect(values.length).toBeGreaterThan(0);
          values.forEach((value, i) => {
            expect(value).toBeCloseTo(host[k]?.[i] ?? NaN, 5);
          });
        });
      });

      it('keeps rows out of the tails they are not in, even NaN', async () => {
        const x = random([6, 6], 1);
        const data = await x.data();
        data.fill(NaN, 0, 6); // in the shortlist
        const spoilt = (): Tensor => tensor(data, { shape: [6, 6], requiresGrad: true });
        for (const target of [tensor(targets, { dtype: 'int32' }), unknown([6], targets)]) {
          const [losses = [], , head = [], ...tails] = await outcome(spoilt(), target);
          expect(losses.map(Number.isNaN)).toEqual([true, false, false, false, false, false]);
          expect(head.every(Number.isNaN)).toBe(true);
          expect(tails.flat().every(Number.isFinite)).toBe(true);
        }
      });

      it('reports those out of range, one after the other', async () => {
        const module = new nn.AdaptiveLogSoftmaxWithLoss(6, 48, [3, 8], { divValue: 2 });
        for (const bad of [48, -1, -2, -100, 5_000_000]) {
          const target = unknown([6], [0, 2, bad, 7, 8, 47]);
          const { output, loss } = module.forward(random([6, 6], 1), target);
          await expect(output.data(), String(bad)).rejects.toThrow(
            /adaptiveLogSoftmaxWithLoss: target: .*0 to 47/,
          );
          const values = [...(await output.data())];
          expect(values.map(Number.isNaN)).toEqual([false, false, true, false, false, false]);
          expect(await loss.item()).toBeNaN();
        }
      });
    });
  });
}

// Takes a backend, and gives tests of options that ops share or that draws of test/calls do not reach: results written over the
// input, the dtype of softmax, numbers in the place of tensors, and learned numbers that broadcast.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  add,
  AutogradError,
  cast,
  gaussianNllLoss,
  logSoftmax,
  manualSeed,
  nn,
  noGrad,
  OptionError,
  prelu,
  relu,
  reshape,
  ShapeError,
  snake,
  softmax,
  softmin,
  tensor,
  type Device,
  type Tensor,
} from '../src/index.ts';
import { functionOf, requiredOptions } from './calls.ts';
import { openOn } from './open.ts';

/** The functions that PyTorch has `inplace` of. */
const IN_PLACE: Readonly<Record<string, object>> = {
  relu: {},
  relu6: {},
  elu: {},
  selu: {},
  celu: {},
  leakyRelu: {},
  rrelu: { training: true },
  hardtanh: {},
  hardswish: {},
  hardsigmoid: {},
  silu: {},
  mish: {},
  threshold: {},
  dropout: {},
};
const MORE: readonly [string, object][] = [
  ['leakyRelu', { negativeSlope: -0.5 }],
  ['threshold', { threshold: 0.5, value: 3 }],
  ['rrelu', { lower: -0.5, upper: 0.5, training: true }],
];

export function optionsSuite(backend: 'cpu' | 'webgpu'): void {
  describe(`options on ${backend}`, () => {
    let device: Device;
    beforeAll(async () => {
      device = await openOn(backend);
    });
    afterEach(() => device.synchronize());
    afterAll(() => {
      device.dispose();
    });
    const data = [-3.5, -1, -0.25, 0, 0.25, 1, 3.5, 7];
    const leaf = (): Tensor => tensor(data, { device, requiresGrad: true });
    const zeros = (): Tensor =>
      tensor(
        data.map(() => 0),
        { device },
      );

    for (const [op, options] of [...Object.entries(IN_PLACE), ...MORE]) {
      it(`${op} ${JSON.stringify(options)} in place gives the same, and the same gradient`, async () => {
        const call = async (inplace: boolean) => {
          manualSeed(3);
          const a = leaf();
          const x = add(a, zeros());
          const all = { ...requiredOptions(op), ...options, ...(inplace ? { inplace } : {}) };
          const y = functionOf(op)(x, all) as Tensor;
          expect(y === x).toBe(inplace);
          const values = await y.array();
          expect(await x.array()).toEqual(inplace ? values : data);
          y.backward(tensor([1, 2, 3, 4, 5, 6, 7, 8], { device }));
          return { values, grad: await a.grad?.array() };
        };
        expect(await call(true)).toEqual(await call(false));
      });
    }

    it('a bias has its gradient in place too', async () => {
      const call = async (inplace: boolean) => {
        const [a, bias] = [leaf(), tensor([...data].reverse(), { device, requiresGrad: true })];
        const y = relu(add(a, zeros()), { bias, inplace });
        y.backward(tensor([1, 2, 3, 4, 5, 6, 7, 8], { device }));
        return [await y.array(), await a.grad?.array(), await bias.grad?.array()];
      };
      expect(await call(true)).toEqual(await call(false));
    });

    it('what cannot be overwritten is refused, and stays as it was', async () => {
      const a = leaf();
      expect(() => relu(a, { inplace: true })).toThrow(AutogradError);
      expect(() => relu(a, { inplace: true })).toThrow('relu: inplace');
      expect(() => relu(zeros(), { inplace: true, out: zeros() })).toThrow(OptionError);
      expect(() => relu(zeros(), { inplace: 1 as never })).toThrow(OptionError);
      const x = add(a, zeros());
      const seen = reshape(x, [2, 4]);
      expect(() => relu(x, { inplace: true })).toThrow(AutogradError);
      expect(() => relu(seen, { inplace: true })).toThrow(AutogradError);
      expect(await x.array()).toEqual(data);
      // Without recording anything goes, as in PyTorch.
      expect(noGrad(() => relu(a, { inplace: true }))).toBe(a);
      expect(await a.array()).toEqual(data.map((v) => Math.max(v, 0)));
      const free = add(leaf(), zeros());
      expect(new nn.ReLU({ inplace: true }).forward(free)).toBe(free);
    });

    it('a backward pass that needs what was overwritten throws', () => {
      const x = softmax(leaf(), { dim: 0 });
      const y = relu(x, { inplace: true });
      expect(() => {
        y.backward(zeros());
      }).toThrow('saved tensors left as they were');
    });

    it('softmax converts to its dtype first', async () => {
      for (const op of [softmax, logSoftmax, softmin]) {
        const half = tensor([[1, 2, 3]], { device, dtype: 'float16', requiresGrad: true });
        const wide = op(half, { dim: 1, dtype: 'float32' });
        expect(wide.dtype).toBe('float32');
        expect(await wide.array()).toEqual(await op(cast(half, 'float32'), { dim: 1 }).array());
        wide.backward(tensor([[1, 0, 0]], { device }));
        expect(half.grad?.dtype).toBe('float16');
        const single = tensor([[1, 2, 3.0001]], { device, requiresGrad: true });
        const narrow = op(single, { dim: 1, dtype: 'float16' });
        expect(narrow.dtype).toBe('float16');
        expect(await narrow.array()).toEqual(await op(cast(single, 'float16'), { dim: 1 }).array());
        narrow.backward(tensor([[1, 0, 0]], { device, dtype: 'float16' }));
        expect(single.grad?.dtype).toBe('float32');
        const whole = tensor([[1, 2, 3]], { device, dtype: 'int32' });
        expect(await op(whole, { dim: 1, dtype: 'float32' }).array()).toEqual(await wide.array());
        expect(() => op(whole, { dim: 1 })).toThrow('int32');
      }
    });

    it('a number as variance is a tensor of it', async () => {
      const call = async (variance: number | Tensor) => {
        const [a, b] = [leaf(), zeros()];
        const loss = gaussianNllLoss(a, b, variance, { full: true });
        loss.backward();
        return [await loss.item(), await a.grad?.array()];
      };
      expect(await call(0.75)).toEqual(
        await call(
          tensor(
            data.map(() => 0.75),
            { device },
          ),
        ),
      );
      expect(() => gaussianNllLoss(zeros(), zeros(), -1)).toThrow(OptionError);
      const module = new nn.GaussianNLLLoss({ reduction: 'none' });
      expect(module.forward(zeros(), zeros(), 2).shape).toEqual([8]);
    });

    it('prelu and snake take a number for each element, or along any dimension', async () => {
      const x = tensor(
        [
          [-1, -2],
          [-3, 4],
        ],
        { device, requiresGrad: true },
      );
      const slope = tensor(
        [
          [0.5, 0.25],
          [2, 8],
        ],
        { device, requiresGrad: true },
      );
      const y = prelu(x, slope);
      expect(await y.array()).toEqual([
        [-0.5, -0.5],
        [-6, 4],
      ]);
      y.backward(
        tensor(
          [
            [1, 1],
            [1, 1],
          ],
          { device },
        ),
      );
      expect(await slope.grad?.array()).toEqual([
        [-1, -2],
        [-3, 0],
      ]);
      const rows = tensor([[0.5], [2]], { device });
      expect(await prelu(x, rows).array()).toEqual([
        [-0.5, -1],
        [-6, 4],
      ]);
      expect(() => prelu(x, tensor([[1, 1, 1]], { device }))).toThrow(ShapeError);
      const waves = snake(x, { alpha: rows });
      const first = await snake(x, { alpha: 0.5 }).array();
      expect(((await waves.array()) as unknown[])[0]).toEqual((first as unknown[])[0]);
      expect(await snake(x, { a: 0.5 }).array()).toEqual(first);
      expect(() => snake(x, { a: 1, alpha: 1 })).toThrow(OptionError);
      expect(() => snake(x, { alpha: tensor([1, 2, 3], { device }) })).toThrow(ShapeError);
      const module = new nn.Snake({ numParameters: 2, alpha: 0.5, device });
      expect(Object.keys(module.stateDict())).toEqual(['alpha']);
      expect(await module.forward(x).array()).toEqual(first);
    });
  });
}

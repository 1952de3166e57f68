// Tensor operations on any device: what the generic tests of ops do not see. Special values, ties, numbers for tensors, int32,
// memory that is shared.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  abs,
  arange,
  argmax,
  cast,
  cat,
  exp,
  full,
  init,
  linear,
  log,
  logsumexp,
  manualSeed,
  max,
  maximum,
  minimum,
  mul,
  narrow,
  neg,
  ones,
  permute,
  randn,
  sqrt,
  sum,
  tensor,
  transpose,
  where,
  zeros,
  type Device,
  type Tensor,
} from '../src/index.ts';
import { openOn, type Wanted } from './open.ts';

const { E } = Math;

export function tensorOpsSuite(backend: 'cpu' | 'webgpu', wanted?: Wanted): void {
  let device: Device;
  beforeAll(async () => {
    device = await openOn(backend, wanted);
  });
  afterAll(() => {
    device.dispose();
  });

  const floats = (data: number[], shape?: number[]): Tensor =>
    tensor(data, { device, requiresGrad: true, ...(shape ? { shape } : {}) });
  const ints = (data: number[], shape?: number[]): Tensor =>
    tensor(data, { device, dtype: 'int32', ...(shape ? { shape } : {}) });
  const read = async (x: Tensor | null | undefined): Promise<number[]> => [
    ...((await x?.data()) ?? []),
  ];
  /** The gradient of each tensor for an upstream gradient of 1, 2, 3, … */
  const gradients = async (y: Tensor, ...xs: Tensor[]): Promise<number[][]> => {
    const upstream = Array.from({ length: y.size }, (_, i) => i + 1);
    y.backward(tensor(upstream, { shape: y.shape, dtype: y.dtype, device }));
    return Promise.all(xs.map((x) => read(x.grad)));
  };
  const near = (given: readonly number[], expected: readonly number[]): void => {
    expect(given.length).toBe(expected.length);
    expected.forEach((e, i) => {
      const value = given[i] ?? NaN;
      const ok = Object.is(value, e) || Math.abs(value - e) <= 2 ** -22 * Math.abs(e);
      if (!ok) expect.fail(`[${i}] = ${value}, expected ${e}`);
    });
  };

  describe('functions of one tensor', () => {
    it('have the special values of PyTorch', async () => {
      const x = floats([0, -0, 1, -1, Infinity, -Infinity, NaN]);
      near(await read(exp(x)), [1, 1, E, 1 / E, Infinity, 0, NaN]);
      near(await read(log(x)), [-Infinity, -Infinity, 0, NaN, Infinity, NaN, NaN]);
      near(await read(sqrt(x)), [0, -0, 1, NaN, Infinity, NaN, NaN]);
      near(await read(abs(x)), [0, 0, 1, 1, Infinity, Infinity, NaN]);
      near(await read(neg(x)), [-0, 0, -1, 1, -Infinity, Infinity, NaN]);
    });

    it('have gradients where the slope is infinite, or jumps', async () => {
      const at = async (op: (x: Tensor) => Tensor, x: number, g: number): Promise<number> => {
        const leaf = floats([x]);
        op(leaf).backward(tensor([g], { device }));
        return (await leaf.grad?.item()) ?? 5;
      };
      expect(await at(sqrt, 0, 1)).toBe(Infinity);
      expect(await at(log, 0, -2)).toBe(-Infinity);
      expect(await at(abs, 0, 3)).toBe(0);
      expect(await at(abs, NaN, 3)).toBe(0);
      expect(await at(abs, -2, 3)).toBe(-3);
      expect(await at(neg, 0, 3)).toBe(-3);
      // The result is infinite, its product with the gradient is not.
      near([await at(exp, 89, 2 ** -20)], [Math.exp(89) * 2 ** -20]);
      near([await at(exp, 120, -(2 ** -100))], [-Math.exp(120) * 2 ** -100]);
      expect(await at(exp, 100, 1)).toBe(Infinity);
    });

    it('take roots near both ends of float32', async () => {
      const xs = [2 ** -126, 1.5 * 2 ** -100, 2 ** 127, 3.4e38, 2 ** -90, 2 ** 126].map(
        Math.fround,
      );
      near(await read(sqrt(floats(xs))), xs.map(Math.sqrt));
    });

    it('are applied by linear in its kernel', async () => {
      const y = linear(floats([1, 2], [1, 2]), floats([0.5, 0.25], [1, 2]), { activation: exp });
      near(await read(y), [E]);
    });
  });

  describe('maximum and minimum', () => {
    it('pass NaN on, and tell 0 from -0', async () => {
      const a = floats([1, NaN, 2, 0, -0, -Infinity]);
      const b = floats([2, 1, NaN, -0, 0, Infinity]);
      expect(await read(maximum(a, b))).toEqual([2, NaN, NaN, 0, 0, Infinity]);
      expect(await read(minimum(a, b))).toEqual([1, NaN, NaN, -0, -0, -Infinity]);
    });

    it('share the gradient of what is equal; both have that of NaN', async () => {
      const a = floats([1, 3, 2, NaN, Infinity]);
      const b = floats([2, 1, 2, 1, Infinity]);
      expect(await gradients(maximum(a, b), a, b)).toEqual([
        [0, 2, 1.5, 4, 2.5],
        [1, 0, 1.5, 4, 2.5],
      ]);
      a.grad = b.grad = null;
      expect(await gradients(minimum(a, b), a, b)).toEqual([
        [1, 0, 1.5, 4, 2.5],
        [0, 2, 1.5, 4, 2.5],
      ]);
    });

    it('take numbers', async () => {
      expect(await read(maximum(floats([1, 5]), 3))).toEqual([3, 5]);
      expect(await read(minimum(3, floats([1, 5])))).toEqual([1, 3]);
    });
  });

  describe('where', () => {
    it('chooses, and gives gradients to what was chosen', async () => {
      const [a, b] = [floats([1, NaN, 3]), floats([10, 20, Infinity])];
      const y = where(ints([1, 0, -7]), a, b);
      expect(await read(y)).toEqual([1, 20, 3]);
      expect(await gradients(y, a, b)).toEqual([
        [1, 0, 3],
        [0, 2, 0],
      ]);
    });

    it('broadcasts all three, and takes numbers', async () => {
      const b = floats([5]);
      const y = where(ints([1, 0], [2, 1]), floats([1, 2, 3]), b);
      expect(await y.array()).toEqual([
        [1, 2, 3],
        [5, 5, 5],
      ]);
      expect(await gradients(y, b)).toEqual([[15]]);
      expect(await read(where(ints([1, 0]), 2, floats([3, 4])))).toEqual([2, 4]);
      expect(await read(where(ints([1, 0]), 1, 0))).toEqual([1, 0]);
    });

    it('chooses integers as they are', async () => {
      const y = where(ints([1, 0, 1]), ints([2 ** 31 - 1, 5, 16_777_217]), -1);
      expect(y.dtype).toBe('int32');
      expect(await read(y)).toEqual([2 ** 31 - 1, -1, 16_777_217]);
      expect(() => where(ints([1]), ints([1]), 0.5)).toThrow(/^where: b/);
    });
  });

  describe('cast', () => {
    it('rounds once, and drops what is behind the point', async () => {
      const x = floats([1.75, -1.75, 3e9, -Infinity, NaN, 2147483520, -0.5, 1e-30]);
      const most = 2 ** 31 - 1;
      expect(await read(cast(x, 'int32'))).toEqual([1, -1, most, -(2 ** 31), 0, 2147483520, 0, 0]);
      const whole = ints([2 ** 31 - 1, -(2 ** 31), 16_777_217, -33_554_435, 3]);
      expect(await read(cast(whole, 'float32'))).toEqual(
        [2 ** 31 - 1, -(2 ** 31), 16_777_217, -33_554_435, 3].map(Math.fround),
      );
      expect(await read(cast(floats([1 + 2 ** -11, 65520]), 'float16'))).toEqual([1, Infinity]);
      expect(await read(cast(ints([2049, 7]), 'float16'))).toEqual([2048, 7]);
    });

    it('has a gradient in the dtype of its input', async () => {
      const x = floats([1, 2]);
      const y = cast(x, 'float16');
      expect(y.dtype).toBe('float16');
      expect(await gradients(mul(y, y), x)).toEqual([[2, 8]]);
      expect(x.grad?.dtype).toBe('float32');
      expect(cast(x, 'int32').requiresGrad).toBe(false);
      expect(cast(x, 'float32')).toBe(x);
    });
  });

  describe('permute, transpose and narrow', () => {
    const count = (...shape: number[]): Tensor =>
      floats(
        Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => i),
        shape,
      );

    it('move elements, and gradients back', async () => {
      const x = count(2, 3, 2);
      const y = permute(x, [2, 0, -2]);
      expect(y.shape).toEqual([2, 2, 3]);
      expect(await read(y)).toEqual([0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11]);
      expect(await gradients(y, x)).toEqual([[1, 7, 2, 8, 3, 9, 4, 10, 5, 11, 6, 12]]);
      const z = count(2, 4);
      expect(await gradients(narrow(z, 1, -3, 2), z)).toEqual([[0, 1, 2, 0, 0, 3, 4, 0]]);
      expect(await read(narrow(z, 0, 1, 1))).toEqual([4, 5, 6, 7]);
      expect(narrow(z, 0, 2, 0).shape).toEqual([0, 4]);
    });

    it('transpose by tiles, with what does not fill one', async () => {
      for (const [batch, rows, columns] of [
        [2, 33, 70],
        [1, 64, 31],
      ] as const) {
        const y = await read(transpose(count(batch, rows, columns), 1, 2));
        const wrong = y.filter((value, i) => {
          const [b, c, r] = [
            Math.floor(i / rows / columns),
            Math.floor(i / rows) % columns,
            i % rows,
          ];
          return value !== (b * rows + r) * columns + c;
        });
        expect(wrong).toEqual([]);
      }
    });

    it('move many elements, in two to eight dimensions', async () => {
      for (const [shape, dims] of [
        [
          [91, 93],
          [1, 0],
        ],
        // four neighbours at a time
        [
          [4, 33, 17, 16],
          [0, 2, 1, 3],
        ],
        [
          [2, 3, 2, 5, 2, 3, 5, 7],
          [7, 1, 5, 3, 4, 0, 2, 6],
        ],
      ] as const) {
        const steps = shape.map((_, d) => shape.slice(d + 1).reduce((n, extent) => n * extent, 1));
        const y = permute(count(...shape), dims);
        const wrong = (await read(y)).filter((value, i) => {
          let rest = i;
          let expected = 0;
          for (const dim of [...dims].reverse()) {
            expected += (rest % (shape[dim] ?? 1)) * (steps[dim] ?? 0);
            rest = Math.floor(rest / (shape[dim] ?? 1));
          }
          return value !== expected;
        });
        expect(wrong).toEqual([]);
      }
    });

    it('keep integers and float16 of odd sizes as they are', async () => {
      const x = ints([1, -2, 2 ** 31 - 1, 16_777_217, 5, 6], [2, 3]);
      expect(await read(transpose(x, 0, 1))).toEqual([1, 16_777_217, -2, 5, 2 ** 31 - 1, 6]);
      const half = tensor([0.5, NaN, -0, Infinity, 5, 6, 7, 8, 9], {
        shape: [3, 3],
        dtype: 'float16',
        device,
      });
      expect(await read(transpose(half, 0, 1))).toEqual([0.5, Infinity, 7, NaN, 5, 8, -0, 6, 9]);
      expect(await read(narrow(half, 1, 1, 2))).toEqual([NaN, -0, 5, 6, 8, 9]);
      expect(await read(cat([narrow(half, 1, 0, 1), half], { dim: 1 }))).toEqual([
        ...[0.5, 0.5, NaN, -0],
        ...[Infinity, Infinity, 5, 6],
        ...[7, 7, 8, 9],
      ]);
    });

    it('share the memory where nothing moves', async () => {
      const x = tensor([1, 2, 3], { shape: [1, 3], device });
      const before = device.stats().dispatches;
      const y = transpose(x, 0, 1);
      expect(y.shape).toEqual([3, 1]);
      expect(narrow(x, 1, 0, 3).shape).toEqual([1, 3]);
      expect(device.stats().dispatches).toBe(before);
      mul(x, 2, { out: x });
      expect(await read(y)).toEqual([2, 4, 6]);
    });

    it('take up to eight dimensions that are moved apart', async () => {
      const x = count(2, 2, 2, 2, 2, 2, 2, 2);
      const y = permute(x, [7, 6, 5, 4, 3, 2, 1, 0]);
      const reversed = Array.from({ length: 256 }, (_, i) =>
        [1, 2, 4, 8, 16, 32, 64, 128].reduce((sum, bit, k) => sum + (i & bit ? 128 >> k : 0), 0),
      );
      expect(await read(y)).toEqual(reversed);
      const more = count(...new Array<number>(9).fill(2));
      expect(() => permute(more, [8, 7, 6, 5, 4, 3, 2, 1, 0])).toThrow(/^permute: x/);
    });
  });

  describe('cat', () => {
    it('puts together, and takes gradients apart', async () => {
      const [a, b, c] = [floats([1, 2], [2, 1]), floats([3, 4, 5, 6], [2, 2]), floats([], [0])];
      const y = cat([a, b, c], { dim: -1 });
      expect(await y.array()).toEqual([
        [1, 3, 4],
        [2, 5, 6],
      ]);
      expect(await gradients(y, a, b, c)).toEqual([[1, 4], [2, 3, 5, 6], []]);
      const x = floats([1, 2]);
      sum(cat([x, x])).backward();
      expect(await read(x.grad)).toEqual([2, 2]);
      expect(() => cat([floats([1]), tensor(1, { device })])).toThrow(/^cat: tensors\.1/);
      expect(() => cat([])).toThrow(/^cat: tensors/);
    });
  });

  describe('max and argmax', () => {
    it('find the first of the largest; NaN is larger', async () => {
      const x = floats([1, 5, 5, -Infinity, -Infinity, -Infinity, 2, NaN, NaN, -0, 0, -1], [4, 3]);
      expect(await read(argmax(x, { dim: 1 }))).toEqual([1, 0, 1, 0]);
      const { values, indices } = max(x, { dim: -1, keepdim: true });
      expect(values.shape).toEqual([4, 1]);
      expect(indices.dtype).toBe('int32');
      expect(await read(values)).toEqual([5, -Infinity, NaN, -0]);
      expect(await read(indices)).toEqual([1, 0, 1, 0]);
      expect((await gradients(values, x))[0]).toEqual([0, 1, 0, 2, 0, 0, 0, 3, 0, 4, 0, 0]);
      expect(await read(argmax(x, { dim: 0 }))).toEqual([2, 2, 2]);
      expect(await argmax(x).item()).toBe(7);
      expect(argmax(x, { keepdim: true }).shape).toEqual([1, 1]);
    });

    it('of all elements, shared by those that are equal', async () => {
      const x = floats([1, 5, 5, 5, -2, 0], [2, 3]);
      const y = max(x);
      expect(y.shape).toEqual([]);
      expect(await y.item()).toBe(5);
      mul(y, 6).backward();
      expect(await read(x.grad)).toEqual([0, 2, 2, 2, 0, 0]);
      const nan = floats([1, NaN, 5, NaN]);
      max(nan).backward();
      expect(await read(nan.grad)).toEqual([0, 0.5, 0, 0.5]);
      expect(() => max(tensor([], { device }))).toThrow(/^max: x/);
    });

    it('of long rows, which are in chunks', async () => {
      const data = Float32Array.from({ length: 2 * 40_000 }, (_, i) => Math.sin(i * 0.7) * 0.9);
      data[31_234] = 1;
      data[39_999] = 1;
      data[79_999] = 1.5;
      const x = tensor(data, { shape: [2, 40_000], device });
      expect(await read(argmax(x, { dim: 1 }))).toEqual([31_234, 39_999]);
      expect(await argmax(x).item()).toBe(79_999);
    });
  });

  describe('logsumexp', () => {
    it('is finite where the result is, and infinite where it is', async () => {
      const x = floats([1000, 1000, -Infinity, -Infinity, Infinity, 3e38, NaN, Infinity], [4, 2]);
      near(await read(logsumexp(x, { dim: 1 })), [1000 + Math.LN2, -Infinity, Infinity, NaN]);
      const [grad] = await gradients(logsumexp(x, { dim: 1 }), x);
      near(grad ?? [], [0.5, 0.5, NaN, NaN, NaN, 0, NaN, NaN]);
    });

    it('goes along several dimensions, next to each other or not', async () => {
      const data = [0.5, -1, 2, 0, 1, -2, 0.25, 3];
      const x = floats(data, [2, 2, 2]);
      const of = (...list: number[]): number =>
        Math.log(list.reduce((total, i) => total + Math.exp(data[i] ?? NaN), 0));
      near(await read(logsumexp(x, { dim: [0, 2] })), [of(0, 1, 4, 5), of(2, 3, 6, 7)]);
      near(await read(logsumexp(x, { dim: [1, 0] })), [of(0, 2, 4, 6), of(1, 3, 5, 7)]);
      near(await read(logsumexp(x)), [of(0, 1, 2, 3, 4, 5, 6, 7)]);
      const y = logsumexp(x, { dim: [0, -1], keepdim: true });
      expect(y.shape).toEqual([1, 2, 1]);
      const [grad = []] = await gradients(y, x);
      const [a, b] = [of(0, 1, 4, 5), of(2, 3, 6, 7)];
      near(
        grad,
        data.map((v, i) => (i % 4 < 2 ? 1 : 2) * Math.exp(v - (i % 4 < 2 ? a : b))),
      );
    });

    it('of no elements is -Infinity', async () => {
      const x = tensor([], { shape: [2, 0], device, requiresGrad: true });
      const y = logsumexp(x, { dim: 1 });
      expect(await read(y)).toEqual([-Infinity, -Infinity]);
      sum(y).backward();
      expect(x.grad?.shape).toEqual([2, 0]);
    });
  });

  describe('new tensors', () => {
    it('are filled', async () => {
      expect(await zeros([2, 2], { device }).array()).toEqual([
        [0, 0],
        [0, 0],
      ]);
      expect(await read(ones([3], { device, dtype: 'float16' }))).toEqual([1, 1, 1]);
      const most = 2 ** 31 - 1;
      expect(await read(full([2], most, { device, dtype: 'int32' }))).toEqual([most, most]);
      expect(await read(full([], -Infinity, { device }))).toEqual([-Infinity]);
      expect(zeros([0, 3], { device }).size).toBe(0);
      expect(zeros([1], { device, requiresGrad: true }).requiresGrad).toBe(true);
      const many = await read(full([70_001], 0.1, { device }));
      expect(many.every((value) => value === Math.fround(0.1))).toBe(true);
      expect(() => full([1], 0.5, { device, dtype: 'int32' })).toThrow(/^full: value/);
      expect(() => zeros([-1], { device })).toThrow(/^zeros: shape/);
      expect(() => ones([1], { dtype: 'int32', requiresGrad: true })).toThrow(/^ones: requires/);
    });

    it('are ranges', async () => {
      expect(await read(arange(4, { device }))).toEqual([0, 1, 2, 3]);
      expect(await read(arange(1, 7, 2, { device, dtype: 'int32' }))).toEqual([1, 3, 5]);
      expect(await read(arange(1, 0, -0.25, { device }))).toEqual([1, 0.75, 0.5, 0.25]);
      near(
        await read(arange(0, 1, 0.1, { device })),
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((i) => Math.fround(i * 0.1)),
      );
      expect(arange(2, 2, { device }).shape).toEqual([0]);
      expect(() => arange(0, 1, -1, { device })).toThrow(/^arange: step/);
      expect(() => arange(0, 1, 0, { device })).toThrow(/^arange: step/);
      expect(() => arange(NaN, { device })).toThrow(/^arange: end/);
      expect(() => arange(1.5, { device, dtype: 'int32' })).toThrow(/^arange: end/);
    });

    it('are normal, and the same on every device', async () => {
      manualSeed(3);
      const values = await read(randn([20_000], { device }));
      const mean = values.reduce((total, v) => total + v, 0) / values.length;
      const moment = (k: number): number =>
        values.reduce((total, v) => total + (v - mean) ** k, 0) / values.length;
      expect(Math.abs(mean)).toBeLessThan(0.03);
      expect(Math.abs(moment(2) - 1)).toBeLessThan(0.05);
      expect(Math.abs(moment(3))).toBeLessThan(0.1);
      expect(Math.abs(moment(4) - 3)).toBeLessThan(0.3);
      const cpu = await init({ backend: 'cpu' });
      manualSeed(3);
      const same = await randn([20_000], { device: cpu }).data();
      values.forEach((value, i) => {
        if (!(Math.abs(value - (same[i] ?? NaN)) <= 2 ** -21)) expect.fail(`${i}: ${value}`);
      });
      manualSeed(3);
      expect(await read(randn([3], { device }))).toEqual(values.slice(0, 3));
      expect(() => randn([1], { device, dtype: 'int32' })).toThrow(/^randn: dtype/);
    });
  });

  describe('printing', () => {
    it('says what a tensor is, and its elements where they are at hand', () => {
      const x = floats([1, 0.1, -0, NaN, 1e-10, -Infinity], [2, 3]);
      const onCpu = device.type === 'cpu';
      expect(String(x)).toBe(
        onCpu
          ? 'Tensor([[1, 0.1, 0],\n        [NaN, 1e-10, -Infinity]], [2, 3], float32, cpu, requiresGrad)'
          : 'Tensor([2, 3], float32, webgpu, requiresGrad; its elements: await tensor.array())',
      );
      const half = tensor([0.5, 2], { dtype: 'float16', device });
      if (onCpu) expect(String(half)).toBe('Tensor([0.5, 2], [2], float16, cpu)');
      if (onCpu)
        expect(String(tensor(7, { dtype: 'int32', device }))).toContain('Tensor(7, [], int32');
      half.dispose();
      expect(String(half)).toBe(`Tensor(disposed, [2], float16, ${device.type})`);
      expect(String(tensor([], { device }))).toMatch(/^Tensor\(\[/);
    });

    it('leaves out the middle of many elements', () => {
      if (device.type !== 'cpu') return;
      const text = String(arange(2000, { device, dtype: 'int32' }));
      expect(text).toBe('Tensor([0, 1, 2, …, 1997, 1998, 1999], [2000], int32, cpu)');
      const wide = String(zeros([100, 20], { device }));
      expect(wide.split('\n').length).toBe(7);
    });

    it('is what Node shows', () => {
      const key = Symbol.for('nodejs.util.inspect.custom');
      const x = tensor([1], { device });
      const shown: unknown = Reflect.get(x, key);
      expect(typeof shown === 'function' && Reflect.apply(shown, x, [])).toBe(String(x));
    });
  });
}

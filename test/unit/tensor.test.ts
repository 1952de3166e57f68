import { beforeAll, describe, expect, it } from 'vitest';
import {
  DeviceUnavailableError,
  DisposedError,
  DTypeError,
  init,
  NonlinError,
  OptionError,
  relu,
  ShapeError,
  tensor,
  Tensor,
  type Device,
  type TensorData,
} from '../../src/index.ts';

let device: Device;
beforeAll(async () => {
  device = await init({ backend: 'cpu' });
});

describe('tensor', () => {
  it('takes its shape from the nesting, or from a flat array', () => {
    expect(tensor(3).shape).toEqual([]);
    expect(tensor([1, 2, 3]).shape).toEqual([3]);
    expect(
      tensor([
        [1, 2],
        [3, 4],
        [5, 6],
      ]).shape,
    ).toEqual([3, 2]);
    expect(tensor([[[1]]]).shape).toEqual([1, 1, 1]);
    expect(tensor([]).shape).toEqual([0]);
    expect(tensor([[], []]).shape).toEqual([2, 0]);
    expect(tensor(new Float32Array(6)).shape).toEqual([6]);
    expect(tensor(new Float32Array(6), { shape: [2, 3] }).shape).toEqual([2, 3]);
    expect(tensor([1, 2, 3, 4], { shape: [2, 2] }).shape).toEqual([2, 2]);
    expect(tensor([5], { shape: [] }).shape).toEqual([]);
    expect(tensor([], { shape: [0, 3] }).shape).toEqual([0, 3]);
  });

  it('takes any kind of numeric array', async () => {
    for (const data of [
      new Float32Array([1, 2]),
      new Float64Array([1, 2]),
      new Int32Array([1, 2]),
      new Uint8Array([1, 2]),
      new Uint16Array([1, 2]),
      [1, 2],
    ]) {
      expect(await tensor(data).array()).toEqual([1, 2]);
    }
    // A part of a larger buffer.
    const part = new Float32Array([9, 1, 2, 9]).subarray(1, 3);
    expect(await tensor(part).array()).toEqual([1, 2]);
  });

  it('takes every kind of typed array, and lists of them', async () => {
    for (const data of [
      new Int8Array([1, 2]),
      new Uint8ClampedArray([1, 2]),
      new Int16Array([1, 2]),
      new Uint32Array([1, 2]),
      new BigInt64Array([1n, 2n]),
      new BigUint64Array([1n, 2n]),
      [1n, 2],
    ]) {
      expect(await tensor(data).array()).toEqual([1, 2]);
      expect(await tensor(data, { dtype: 'int32' }).array()).toEqual([1, 2]);
      expect(await tensor([data, data]).array()).toEqual([
        [1, 2],
        [1, 2],
      ]);
    }
    expect(tensor(new BigInt64Array(0)).shape).toEqual([0]);
    expect(tensor(new Float32Array(0)).shape).toEqual([0]);
    expect(await tensor(-5n).item()).toBe(-5);
    const ends = BigInt64Array.of(-(2n ** 31n), 2n ** 31n - 1n);
    expect(await tensor(ends, { dtype: 'int32' }).array()).toEqual([-(2 ** 31), 2 ** 31 - 1]);
    // Large, but a number all the same.
    expect(await tensor(BigInt64Array.of(2n ** 60n)).item()).toBe(2 ** 60);
  });

  it('takes half-precision arrays, where the engine has them', async () => {
    const Half: unknown = Reflect.get(globalThis, 'Float16Array');
    if (typeof Half !== 'function') return;
    const data = Reflect.construct(Half, [[1.5, -2]]) as Float32Array;
    expect(await tensor(data, { dtype: 'float16' }).array()).toEqual([1.5, -2]);
  });

  it('takes true and false as 1 and 0 where a dtype is given', async () => {
    expect(await tensor([[true], [false]], { dtype: 'int32' }).array()).toEqual([[1], [0]]);
    expect(await tensor(true, { dtype: 'float32' }).item()).toBe(1);
  });

  it('takes 64 dimensions', () => {
    let list: TensorData = 1;
    for (let i = 0; i < 64; i++) list = [list];
    expect(tensor(list).rank).toBe(64);
  });

  it('copies', async () => {
    const data = new Float32Array([1, 2]);
    const indices = new Int32Array([3]);
    const [x, i] = [tensor(data), tensor(indices, { dtype: 'int32' })];
    data[0] = 9;
    indices[0] = 9;
    expect(await x.array()).toEqual([1, 2]);
    expect(await i.array()).toEqual([3]);
    const read = await x.data();
    read[0] = 7;
    expect(await x.array()).toEqual([1, 2]);
  });

  it('rounds to its dtype', async () => {
    expect(await tensor([0.1]).array()).toEqual([Math.fround(0.1)]);
    expect(await tensor([0.1, 1e6], { dtype: 'float16' }).array()).toEqual([
      0.0999755859375,
      Infinity,
    ]);
    const ints = await tensor([1, -2], { dtype: 'int32' }).data();
    expect(ints).toBeInstanceOf(Int32Array);
    expect([...ints]).toEqual([1, -2]);
  });

  it('says what it is', () => {
    const x = tensor([[1, 2, 3]], { dtype: 'float16', requiresGrad: true });
    expect(x).toMatchObject({ shape: [1, 3], rank: 2, size: 3, dtype: 'float16' });
    expect(x.device).toBe(device);
    expect(x.requiresGrad).toBe(true);
    expect(x.grad).toBeNull();
    expect(x.disposed).toBe(false);
    expect(() => {
      (x.shape as number[])[0] = 2;
    }).toThrow(TypeError);
  });

  it('reads back nested, flat and single', async () => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    expect(await x.array()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect([...(await x.data())]).toEqual([1, 2, 3, 4]);
    expect(await tensor(5).array()).toBe(5);
    expect(await tensor(5).item()).toBe(5);
    expect(await tensor([[5]]).item()).toBe(5);
    expect(await tensor([[], []]).array()).toEqual([[], []]);
    await expect(x.item()).rejects.toThrow(ShapeError);
    await expect(tensor([]).item()).rejects.toThrow(ShapeError);
  });

  const bad: [string, unknown, Record<string, unknown>, typeof NonlinError][] = [
    ['uneven nesting', [[1, 2], [3]], {}, ShapeError],
    ['numbers beside arrays', [1, [2]], {}, ShapeError],
    ['arrays beside numbers', [[1], 2], {}, ShapeError],
    ['deeper nesting further on', [[1], [[2]]], {}, ShapeError],
    ['strings', ['1'], {}, NonlinError],
    ['null', null, {}, NonlinError],
    ['undefined', undefined, {}, NonlinError],
    ['a string', 'abc', {}, NonlinError],
    ['an object', { length: 2 }, {}, NonlinError],
    ['a boolean', true, {}, NonlinError],
    ['holes', new Array<number>(2), {}, NonlinError],
    ['raw bytes', new DataView(new ArrayBuffer(4)), {}, NonlinError],
    ['a shape of another size', [1, 2, 3], { shape: [2] }, ShapeError],
    ['a negative extent', [], { shape: [-1, 0] }, ShapeError],
    ['a fractional extent', [1], { shape: [0.5, 2] }, ShapeError],
    ['a shape that is no array', [1], { shape: 1 }, ShapeError],
    ['an extent of NaN', [1], { shape: [NaN] }, ShapeError],
    ['an unknown dtype', [1], { dtype: 'float64' }, OptionError],
    ['a dtype that is no string', [1], { dtype: 32 }, OptionError],
    ['an unknown option', [1], { requires_grad: true }, OptionError],
    ['requiresGrad for int32', [1], { dtype: 'int32', requiresGrad: true }, OptionError],
    ['requiresGrad that is no boolean', [1], { requiresGrad: 1 }, OptionError],
    ['a device that is none', [1], { device: 'cpu' }, OptionError],
    ['fractions for int32', [0.5], { dtype: 'int32' }, DTypeError],
    ['NaN for int32', [NaN], { dtype: 'int32' }, DTypeError],
    ['too large for int32', [2 ** 31], { dtype: 'int32' }, DTypeError],
  ];
  for (const [name, data, options, kind] of bad) {
    it(`refuses ${name}`, () => {
      const before = device.stats();
      const make = (): Tensor => tensor(data as TensorData, options);
      expect(make).toThrow(kind);
      expect(make).toThrow(/^tensor: /);
      expect(device.stats()).toEqual(before);
    });
  }

  it('takes the whole range of int32', async () => {
    const ends = [-(2 ** 31), 2 ** 31 - 1, 0];
    expect([...(await tensor(ends, { dtype: 'int32' }).data())]).toEqual([ends[0], ends[1], 0]);
  });
});

describe('dispose', () => {
  it('lets memory be used again, but not what was read before', async () => {
    const x = tensor([1, -2, 3]);
    const reads: Promise<unknown>[] = [];
    const created: number[] = [];
    for (let i = 0; i < 3; i++) {
      const y = relu(x);
      reads.push(y.data());
      y.dispose();
      relu(tensor([7, 7, 7])).dispose();
      created.push(device.stats().buffersCreated);
    }
    for (const data of await Promise.all(reads)) expect(data).toEqual(Float32Array.of(1, 0, 3));
    // A result's buffer is the next one's; the three tensors made of host numbers are new.
    expect((created[2] ?? 0) - (created[0] ?? 0)).toBe(2);
    expect(device.stats().pooledBuffers).toBeGreaterThan(0);
  });

  it('gives memory back once, and says so afterwards', async () => {
    const before = device.stats();
    const x = tensor([1, 2, 3]);
    expect(device.stats().liveBuffers).toBe(before.liveBuffers + 1);
    x.dispose();
    x.dispose();
    expect(device.stats().liveBuffers).toBe(before.liveBuffers);
    expect(device.stats().liveBytes).toBe(before.liveBytes);
    expect(x.disposed).toBe(true);
    expect(() => relu(x)).toThrow(DisposedError);
    expect(() => relu(x)).toThrow(/relu: x/);
    expect(() => x.detach()).toThrow(DisposedError);
    await expect(x.data()).rejects.toThrow(DisposedError);
    // Its description stays.
    expect(x.shape).toEqual([3]);
  });

  it('of a view leaves the others', async () => {
    const x = tensor([1, 2]);
    const view = x.detach();
    x.dispose();
    expect(await view.array()).toEqual([1, 2]);
    const before = device.stats().liveBuffers;
    view.dispose();
    expect(device.stats().liveBuffers).toBe(before - 1);
  });

  it('is what `using` calls', () => {
    const x = tensor([1]);
    x[Symbol.dispose]();
    expect(x.disposed).toBe(true);
  });

  it('of the device ends its tensors', async () => {
    const other = await init({ backend: 'cpu' });
    const x = tensor([1], { device: other });
    other.dispose();
    expect(() => relu(x)).toThrow(DisposedError);
    expect(() => tensor([1], { device: other })).toThrow(DisposedError);
    await expect(x.data()).rejects.toThrow(DisposedError);
    await expect(other.synchronize()).rejects.toThrow(DisposedError);
    x.dispose();
    device = await init({ backend: 'cpu' });
  });
});

describe('reads whose type is known', () => {
  it('give what the others give', async () => {
    const x = tensor([[1, 2]]);
    const rows: number[][] = await x.array({ rank: 2 });
    expect(rows).toEqual(await x.array());
    const values: Float32Array = await x.data({ dtype: 'float32' });
    expect(values).toEqual(await x.data());
    const classes: Int32Array = await tensor([3], { dtype: 'int32' }).data({ dtype: 'int32' });
    expect([...classes]).toEqual([3]);
    const halves: Float32Array = await tensor([3], { dtype: 'float16' }).data({ dtype: 'float16' });
    expect([...halves]).toEqual([3]);
    const scalar: number = await tensor(4).array({ rank: 0 });
    expect(scalar).toBe(4);
  });

  it('refuse tensors of another rank or dtype', async () => {
    const x = tensor([[1, 2]]);
    await expect(x.array({ rank: 1 })).rejects.toThrow(/array: rank: expected 2.*received 1/);
    await expect(x.data({ dtype: 'float64' as 'float32' })).rejects.toThrow(/dtype/);
  });
});

describe('the CPU device', () => {
  it('has no GPU to give', async () => {
    const cpu = await init({ backend: 'cpu' });
    expect(cpu).toMatchObject({ type: 'cpu', gpuDevice: null });
    expect(cpu.name).not.toBe('');
    const x = tensor([1], { device: cpu });
    expect(() => x.buffer()).toThrow(DeviceUnavailableError);
    expect(() => Tensor.fromBuffer({} as GPUBuffer, { shape: [1], device: cpu })).toThrow(
      DeviceUnavailableError,
    );
    expect(() => cpu.record({} as GPUCommandEncoder, () => 1)).toThrow(DeviceUnavailableError);
    await cpu.synchronize();
    await cpu.prepare([relu]);
  });

  it('is what there is in Node', async () => {
    expect((await init()).type).toBe('cpu');
    await expect(init({ backend: 'webgpu' })).rejects.toThrow(DeviceUnavailableError);
  });
});

// A caller's device, buffers and encoder; several devices; batches and pool; windows; faults.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cdp } from 'vitest/browser';
import { toHalf } from '../../src/core/dtype.ts';
import {
  DeviceLostError,
  DeviceMismatchError,
  DeviceUnavailableError,
  DisposedError,
  init,
  leakyRelu,
  mseLoss,
  NonlinError,
  OptionError,
  OutOfMemoryError,
  relu,
  scope,
  ShaderError,
  ShapeError,
  sigmoid,
  tanh,
  tensor,
  Tensor,
  type Device,
} from '../../src/index.ts';
import {
  readBuffer,
  readFloats,
  requestGpuDevice,
  requestLimitedDevice,
  storageBuffer,
} from './gpu-device.ts';

/** Values of both signs that tell positions apart. */
function ramp(size: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: size }, (_, i) => (i % 2 === 0 ? 1 : -1) * (i + 1));
}

const reluOf = (values: ArrayLike<number>): number[] =>
  Array.from(values, (value) => Math.max(value, 0));

describe('on a device of the caller', () => {
  let gpu: GPUDevice;
  let device: Device;
  beforeEach(async () => {
    gpu = await requestGpuDevice();
    device = await init({ device: gpu });
  });
  afterEach(async () => {
    await device.synchronize();
    device.dispose();
    gpu.destroy();
  });

  it('uses that device', async () => {
    expect(device.type).toBe('webgpu');
    expect(device.gpuDevice).toBe(gpu);
    const x = tensor([1, -1]);
    expect(x.device).toBe(device);
    expect([...(await relu(x).data())]).toEqual([1, 0]);
  });

  it('never destroys it', async () => {
    const mine = await requestGpuDevice();
    const other = await init({ device: mine });
    await relu(tensor([1], { device: other })).data();
    other.dispose();
    const buffer = storageBuffer(mine, new Float32Array([7]));
    expect(await readFloats(mine, buffer)).toEqual([7]);
    mine.destroy();
  });

  describe('fromBuffer', () => {
    const sentinel = 0x7fc1_2345;

    for (const offset of [0, 256]) {
      for (const size of [1, 3, 4, 5, 7]) {
        it(`reads and writes ${size} float32 at ${offset} and nothing else`, async () => {
          const words = new Uint32Array(offset / 4 + size + 9).fill(sentinel);
          const values = ramp(size);
          words.set(new Uint32Array(values.buffer), offset / 4);
          const source = storageBuffer(gpu, words);
          const target = storageBuffer(gpu, new Uint32Array(words.length).fill(sentinel));
          const x = Tensor.fromBuffer(source, { shape: [size], offset });
          const out = Tensor.fromBuffer(target, { shape: [size], offset });
          expect(relu(x, { out })).toBe(out);
          expect([...(await out.data())]).toEqual(reluOf(values));
          expect([...(await x.data())]).toEqual([...values]);
          const after = new Uint32Array(await readBuffer(gpu, target));
          const written = new Uint32Array(Float32Array.from(reluOf(values)).buffer);
          const expected = new Uint32Array(words.length).fill(sentinel);
          expected.set(written, offset / 4);
          expect([...after]).toEqual([...expected]);
          expect([...new Uint32Array(await readBuffer(gpu, source))]).toEqual([...words]);
        });
      }
      for (const size of [1, 2, 3, 5, 7, 8, 9]) {
        it(`reads and writes ${size} float16 at ${offset} and nothing else`, async () => {
          const halves = new Uint16Array(offset / 2 + 2 * Math.ceil(size / 2) + 10).fill(0x7e55);
          const values = ramp(size);
          halves.set(Uint16Array.from(values, toHalf), offset / 2);
          const fill = new Uint16Array(halves.length).fill(0x7e55);
          const source = storageBuffer(gpu, new Uint32Array(halves.buffer));
          const target = storageBuffer(gpu, new Uint32Array(fill.buffer));
          const x = Tensor.fromBuffer(source, { shape: [size], offset, dtype: 'float16' });
          const out = Tensor.fromBuffer(target, { shape: [size], offset, dtype: 'float16' });
          relu(x, { out });
          expect([...(await out.data())]).toEqual(reluOf(values));
          const after = new Uint16Array(await readBuffer(gpu, target));
          const expected = new Uint16Array(halves.length).fill(0x7e55);
          expected.set(Uint16Array.from(reluOf(values), toHalf), offset / 2);
          expect([...after]).toEqual([...expected]);
        });
      }
    }

    it('writes a scalar loss into four bytes and leaves the rest', async () => {
      const target = storageBuffer(gpu, new Float32Array(70).fill(9));
      const out = Tensor.fromBuffer(target, { shape: [], offset: 256 });
      mseLoss(tensor([1, 2, 3]), tensor([0, 0, 0]), { reduction: 'sum', out });
      await device.synchronize();
      const expected = new Array<number>(70).fill(9);
      expected[64] = 14;
      expect(await readFloats(gpu, target)).toEqual(expected);
    });

    it('works in place', async () => {
      const buffer = storageBuffer(gpu, ramp(5));
      const x = Tensor.fromBuffer(buffer, { shape: [5] });
      relu(x, { out: x });
      await device.synchronize();
      expect(await readFloats(gpu, buffer)).toEqual(reluOf(ramp(5)));
    });

    it('works in place between two ranges of one buffer', async () => {
      const words = new Float32Array(64 + 5);
      words.set(ramp(5), 64);
      const buffer = storageBuffer(gpu, words);
      const x = Tensor.fromBuffer(buffer, { shape: [5], offset: 256 });
      const out = Tensor.fromBuffer(buffer, { shape: [5] });
      relu(x, { out });
      await device.synchronize();
      const after = await readFloats(gpu, buffer);
      expect(after.slice(0, 5)).toEqual(reluOf(ramp(5)));
      expect(after.slice(64)).toEqual([...ramp(5)]);
    });

    it('computes gradients of a borrowed tensor', async () => {
      const x = Tensor.fromBuffer(storageBuffer(gpu, ramp(7)), { shape: [7] });
      x.requiresGrad = true;
      leakyRelu(x, { negativeSlope: 0.5 }).backward(tensor(new Float32Array(7).fill(2)));
      expect(await x.grad?.array()).toEqual([2, 1, 2, 1, 2, 1, 2]);
    });

    it('never destroys or pools the buffer', async () => {
      const buffer = storageBuffer(gpu, ramp(4));
      const before = device.stats();
      const x = Tensor.fromBuffer(buffer, { shape: [4] });
      x.dispose();
      expect(device.stats()).toEqual(before);
      expect(await readFloats(gpu, buffer)).toEqual([...ramp(4)]);
    });

    it('refuses what it cannot bind', () => {
      const buffer = storageBuffer(gpu, ramp(128));
      const make = (shape: number[], offset: number) => () =>
        Tensor.fromBuffer(buffer, { shape, offset });
      expect(make([1], 4)).toThrow(OptionError);
      expect(make([1], -256)).toThrow(OptionError);
      expect(make([1], NaN)).toThrow(OptionError);
      expect(make([65], 256)).toThrow(ShapeError);
      expect(make([2, -1], 0)).toThrow(ShapeError);
      const noStorage = gpu.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_SRC });
      expect(() => Tensor.fromBuffer(noStorage, { shape: [1] })).toThrow(OptionError);
      expect(make([64], 256)).not.toThrow();
    });

    it('says so where a buffer is of another device', async () => {
      const other = await requestGpuDevice();
      const x = Tensor.fromBuffer(storageBuffer(other, ramp(4)), { shape: [4] });
      const y = relu(x);
      await expect(y.data()).rejects.toThrow(DeviceMismatchError);
      await expect(y.data()).rejects.toThrow(/^relu: expected buffers of its tensors' device/);
      expect(await relu(tensor([-1, 2])).array()).toEqual([0, 2]);
      other.destroy();
    });

    it('says so where a buffer cannot be read back', async () => {
      const buffer = gpu.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE });
      const x = Tensor.fromBuffer(buffer, { shape: [4] });
      await expect(x.data()).rejects.toThrow(NonlinError);
      // …but it can be computed with.
      expect([...(await relu(x).data())]).toEqual([0, 0, 0, 0]);
    });
  });

  it('shows the buffer behind a tensor, with its work done by the time the caller submits', async () => {
    const y = relu(tensor(ramp(6)));
    const { buffer, offset, size } = y.buffer();
    expect(size).toBe(24);
    expect((await readFloats(gpu, buffer)).slice(offset / 4, offset / 4 + 6)).toEqual(
      reluOf(ramp(6)),
    );
  });

  describe('record', () => {
    it('puts ops into the caller’s encoder and submits nothing', async () => {
      const source = storageBuffer(gpu, ramp(9));
      const target = storageBuffer(gpu, new Float32Array(9));
      const x = Tensor.fromBuffer(source, { shape: [9] });
      const out = Tensor.fromBuffer(target, { shape: [9] });
      const submit = vi.spyOn(gpu.queue, 'submit');
      const encoder = gpu.createCommandEncoder();
      const loss = device.record(encoder, () => {
        const a = leakyRelu(x, { negativeSlope: 0.5 });
        const b = relu(a);
        leakyRelu(b, { negativeSlope: 3, out });
        return mseLoss(a, b, { reduction: 'sum' });
      });
      await Promise.resolve();
      expect(submit).not.toHaveBeenCalled();
      gpu.queue.submit([encoder.finish()]);
      expect(submit).toHaveBeenCalledTimes(1);
      expect(await readFloats(gpu, target)).toEqual(reluOf(ramp(9)));
      expect(await loss.item()).toBe(1 + 4 + 9 + 16);
    });

    it('records gradients too', async () => {
      const x = tensor(ramp(5), { requiresGrad: true });
      const encoder = gpu.createCommandEncoder();
      device.record(encoder, () => {
        mseLoss(relu(x), tensor(new Float32Array(5)), { reduction: 'sum' }).backward();
      });
      gpu.queue.submit([encoder.finish()]);
      expect(await x.grad?.array()).toEqual([2, 0, 6, 0, 10]);
    });

    it('submits earlier work first', async () => {
      const x = relu(tensor(ramp(4)));
      const encoder = gpu.createCommandEncoder();
      const y = device.record(encoder, () => leakyRelu(x));
      gpu.queue.submit([encoder.finish()]);
      expect([...(await y.data())]).toEqual(reluOf(ramp(4)));
    });

    it('keeps what the encoder uses when tensors are disposed before the submit', async () => {
      const encoder = gpu.createCommandEncoder();
      const target = storageBuffer(gpu, new Float32Array(4));
      const out = Tensor.fromBuffer(target, { shape: [4] });
      device.record(encoder, () => {
        scope(() => {
          const a = leakyRelu(tensor(ramp(4)), { negativeSlope: 2 });
          leakyRelu(a, { out, negativeSlope: 1 });
        });
      });
      // Would overwrite the intermediate if its buffer had gone back to the pool.
      for (let i = 0; i < 8; i++) relu(tensor([50, 50, 50, 50]));
      await device.synchronize();
      gpu.queue.submit([encoder.finish()]);
      expect(await readFloats(gpu, target)).toEqual([1, -4, 3, -8]);
    });

    it('ends when its function throws, and refuses to nest or to be asynchronous', async () => {
      const encoder = gpu.createCommandEncoder();
      expect(() =>
        device.record(encoder, () => {
          throw new TypeError('mine');
        }),
      ).toThrow('mine');
      expect(() => device.record(encoder, () => device.record(encoder, () => 1))).toThrow(
        OptionError,
      );
      expect(() => device.record(encoder, () => Promise.resolve(1))).toThrow(OptionError);
      // Not recording any more.
      expect([...(await relu(tensor([-1, 2])).data())]).toEqual([0, 2]);
    });
  });

  it('submits once for many ops', async () => {
    const x = tensor(ramp(16));
    await relu(x).data();
    const submit = vi.spyOn(gpu.queue, 'submit');
    const before = device.stats();
    let y = x;
    for (let i = 0; i < 100; i++) y = leakyRelu(y, { negativeSlope: 1 });
    expect(submit).not.toHaveBeenCalled();
    await Promise.resolve();
    // The pipeline may still be compiling; then the batch waits for it.
    await vi.waitFor(() => expect(submit).toHaveBeenCalled());
    expect(submit).toHaveBeenCalledTimes(1);
    expect(device.stats().submits - before.submits).toBe(1);
    expect(device.stats().dispatches - before.dispatches).toBe(100);
    expect([...(await y.data())]).toEqual([...ramp(16)]);
  });

  it('goes on past the size of a batch', async () => {
    let y = tensor([1, 2, 3]);
    for (let i = 0; i < 1000; i++) y = leakyRelu(y);
    expect([...(await y.data())]).toEqual([1, 2, 3]);
    expect(device.stats().submits).toBeLessThanOrEqual(6);
  });

  it('reuses buffers and counts them', async () => {
    const start = device.stats();
    const x = tensor(ramp(1000));
    expect(device.stats().liveBuffers).toBe(start.liveBuffers + 1);
    expect(device.stats().liveBytes - start.liveBytes).toBeGreaterThanOrEqual(4000);
    const round = async (): Promise<void> => {
      const y = relu(x);
      await y.data();
      y.dispose();
    };
    await round();
    const warm = device.stats();
    for (let i = 0; i < 20; i++) await round();
    const after = device.stats();
    expect(after.buffersCreated).toBe(warm.buffersCreated);
    expect(after.bindGroupsCreated).toBe(warm.bindGroupsCreated);
    expect(after.pipelinesCompiled).toBe(warm.pipelinesCompiled);
    expect(after.liveBytes).toBe(warm.liveBytes);
    expect(after.dispatches - warm.dispatches).toBe(20);
    x.dispose();
    expect(device.stats().liveBuffers).toBe(start.liveBuffers);
    expect(device.stats().liveBytes).toBe(start.liveBytes);
    expect(device.stats().pooledBuffers).toBeGreaterThanOrEqual(2);
  });

  it('does not overwrite what waiting ops read', async () => {
    const results: Tensor[] = [];
    for (let i = 0; i < 300; i++) {
      const x = tensor([i, -i, i + 0.5, -1]);
      results.push(leakyRelu(x, { negativeSlope: 0.5 }));
      x.dispose();
    }
    for (const [i, y] of results.entries()) {
      expect([...(await y.data())]).toEqual([i, -i / 2, i + 0.5, -0.5]);
      y.dispose();
    }
  });

  it('reads many results at once', async () => {
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, i) => leakyRelu(tensor([i, -i])).data()),
    );
    all.forEach((data, i) => {
      expect(data[0]).toBe(i);
      expect(data[1]).toBe(Math.fround(-i * Math.fround(0.01)));
    });
  });

  it('reads a tensor that is disposed before its data arrives', async () => {
    const x = tensor([3, -3]);
    const y = relu(x);
    const data = y.data();
    y.dispose();
    x.dispose();
    for (let i = 0; i < 8; i++) relu(tensor([9, 9]));
    expect([...(await data)]).toEqual([3, 0]);
  });

  it('compiles ahead with prepare', async () => {
    const before = device.stats();
    await device.prepare([relu, tanh]);
    const prepared = device.stats();
    expect(prepared.pipelinesCompiled).toBeGreaterThan(before.pipelinesCompiled);
    expect(prepared.liveBuffers).toBe(before.liveBuffers);
    const x = tensor(ramp(33), { requiresGrad: true });
    for (const op of [relu, tanh]) op(x).backward(tensor(ramp(33)));
    await device.synchronize();
    // Only the sum of the two gradients is new.
    expect(device.stats().pipelinesCompiled - prepared.pipelinesCompiled).toBeLessThanOrEqual(1);
    const half = device.stats().pipelinesCompiled;
    await device.prepare([relu], { dtype: 'float16' });
    expect(device.stats().pipelinesCompiled).toBeGreaterThan(half);
  });

  it('gives the buffers of collected tensors back', async () => {
    const before = device.stats().liveBuffers;
    (() => {
      for (let i = 0; i < 20; i++) relu(tensor(ramp(64)));
    })();
    expect(device.stats().liveBuffers).toBe(before + 40);
    await device.synchronize();
    const session = cdp() as { send: (method: string) => Promise<unknown> };
    await vi.waitFor(
      async () => {
        await session.send('HeapProfiler.collectGarbage');
        expect(device.stats().liveBuffers).toBe(before);
      },
      { timeout: 20_000, interval: 50 },
    );
  });

  it('reports a fault of the GPU at the next read, once', async () => {
    const buffer = storageBuffer(gpu, ramp(4));
    const x = Tensor.fromBuffer(buffer, { shape: [4] });
    buffer.destroy();
    const y = relu(x);
    await expect(y.data()).rejects.toThrow(ShaderError);
    expect([...(await relu(tensor([-1, 1])).data())]).toEqual([0, 1]);
  });

  it('reports a fault to synchronize as well', async () => {
    const buffer = storageBuffer(gpu, ramp(4));
    const x = Tensor.fromBuffer(buffer, { shape: [4] });
    buffer.destroy();
    relu(x);
    await expect(device.synchronize()).rejects.toThrow(ShaderError);
  });

  it('reports that memory has run out at the next read', async () => {
    // What popErrorScope gives for the next out-of-memory scope.
    const open: string[] = [];
    const push = gpu.pushErrorScope.bind(gpu);
    const pop = gpu.popErrorScope.bind(gpu);
    let failures = Infinity;
    gpu.pushErrorScope = (filter) => {
      open.push(filter);
      push(filter);
    };
    gpu.popErrorScope = async () => {
      const filter = open.pop();
      const error = await pop();
      return filter === 'out-of-memory' && failures-- > 0
        ? new GPUOutOfMemoryError('no memory left')
        : error;
    };
    const y = relu(tensor(ramp(3)));
    await expect(y.data()).rejects.toThrow(OutOfMemoryError);
    failures = 0;
    await expect(y.data()).rejects.toThrow(OutOfMemoryError);
    expect([...(await relu(tensor(ramp(3))).data())]).toEqual(reluOf(ramp(3)));
    // What else went wrong meanwhile is said as well.
    const told = await device.synchronize().catch((error: unknown) => error);
    expect(told).toBeInstanceOf(OutOfMemoryError);
    for (let more: unknown = told; more;) {
      more = await device.synchronize().then(
        () => null,
        (error: unknown) => error,
      );
    }
  });

  it('refuses a tensor that no buffer can hold', () => {
    const most = gpu.limits.maxBufferSize;
    const x = tensor([1]);
    const before = device.stats();
    const calls = [() => Tensor.fromBuffer(x.buffer().buffer, { shape: [most] })];
    for (const call of calls) expect(call).toThrow(NonlinError);
    expect(device.stats().liveBuffers).toBe(before.liveBuffers);
  });
});

describe('windows', () => {
  it('processes tensors past the binding limit', async () => {
    const gpu = await requestLimitedDevice({ maxStorageBufferBindingSize: 16384 });
    const device = await init({ device: gpu });
    // 4096 float32 a window: three of them and a bit.
    const size = 3 * 4096 + 5;
    const values = Float32Array.from({ length: size }, (_, i) => ((i * 7919) % 1000) / 100 - 5);
    const x = tensor(values, { requiresGrad: true });
    const y = leakyRelu(x, { negativeSlope: 0.5 });
    expect([...(await y.data())]).toEqual(Array.from(values, (v) => (v > 0 ? v : v / 2)));
    expect(device.stats().dispatches).toBe(4);

    y.backward(tensor(values));
    expect([...((await x.grad?.data()) ?? [])]).toEqual(
      Array.from(values, (v) => (v > 0 ? v : v / 2)),
    );

    const zero = tensor(new Float32Array(size));
    const loss = mseLoss(x, zero, { reduction: 'sum' });
    const exact = values.reduce((total, v) => total + v * v, 0);
    expect(Math.abs((await loss.item()) / exact - 1)).toBeLessThan(1e-6);
    x.grad?.dispose();
    loss.backward();
    expect([...((await x.grad?.data()) ?? [])]).toEqual(Array.from(values, (v) => 2 * v));

    // A float16 window is aligned as well.
    const half = tensor(values, { dtype: 'float16' });
    const expected = await half.data();
    expect([...(await relu(half).data())]).toEqual(reluOf(expected));
    await device.synchronize();
    device.dispose();
    gpu.destroy();
  });

  it('processes long tensors with few workgroups a dimension', async () => {
    const gpu = await requestLimitedDevice({ maxComputeWorkgroupsPerDimension: 3 });
    const device = await init({ device: gpu });
    const values = Float32Array.from({ length: 20_001 }, (_, i) => (i % 17) - 8);
    const y = relu(tensor(values));
    expect([...(await y.data())]).toEqual(reluOf(values));
    const loss = mseLoss(tensor(values), tensor(new Float32Array(values.length)), {
      reduction: 'sum',
    });
    expect(await loss.item()).toBe(values.reduce((total, v) => total + v * v, 0));
    device.dispose();
    gpu.destroy();
  });
});

describe('several devices', () => {
  it('live side by side', async () => {
    const a = await init({ backend: 'webgpu' });
    const b = await init({ backend: 'webgpu' });
    const cpu = await init({ backend: 'cpu' });
    const on = (device: Device): Tensor => tensor([-1, 2], { device });
    const results = await Promise.all([a, b, cpu].map((device) => relu(on(device)).array()));
    expect(results).toEqual([
      [0, 2],
      [0, 2],
      [0, 2],
    ]);
    expect(a.stats().dispatches).toBe(1);
    expect(b.stats().dispatches).toBe(1);
    for (const [one, other] of [
      [a, b],
      [b, a],
      [a, cpu],
      [cpu, a],
    ] as const) {
      expect(() => mseLoss(on(one), on(other))).toThrow(DeviceMismatchError);
      expect(() => relu(on(one), { out: on(other) })).toThrow(DeviceMismatchError);
      expect(() =>
        relu(tensor([1, 1], { device: one, requiresGrad: true })).backward(on(other)),
      ).toThrow(DeviceMismatchError);
    }
    a.dispose();
    // b goes on.
    expect(await relu(on(b)).array()).toEqual([0, 2]);
    b.dispose();
    cpu.dispose();
  });

  it('the last one made is the default', async () => {
    const a = await init({ backend: 'webgpu' });
    expect(tensor([1]).device).toBe(a);
    const cpu = await init({ backend: 'cpu' });
    expect(tensor([1]).device).toBe(cpu);
    a.dispose();
  });
});

describe('init', () => {
  it('takes a software adapter only when asked', async () => {
    const auto = await init();
    const adapter = await navigator.gpu.requestAdapter();
    if (!adapter) throw new Error('no adapter');
    const software = /swiftshader/i.test(Object.values(adapter.info).join());
    if (software || adapter.info.isFallbackAdapter) expect(auto.type).toBe('cpu');
    auto.dispose();
    const asked = await init({ backend: 'webgpu' });
    expect(asked.type).toBe('webgpu');
    expect(asked.name).not.toBe('');
    asked.dispose();
  });

  it('refuses what is not there, with a typed error', async () => {
    const none = { requestAdapter: () => Promise.resolve(null) } as unknown as GPU;
    await expect(init({ backend: 'webgpu', gpu: none })).rejects.toThrow(DeviceUnavailableError);
    expect((await init({ gpu: none })).type).toBe('cpu');
    await expect(init({ backend: 'webgl' as 'webgpu' })).rejects.toThrow(OptionError);
  });
});

describe('device loss', () => {
  it('resolves `lost`, rejects pending and later calls, and a new init works', async () => {
    const device = await init({ backend: 'webgpu' });
    const x = tensor(ramp(4), { requiresGrad: true });
    const y = relu(x);
    await y.data();
    const pending = sigmoid(x).data();
    const settled = expect(pending).rejects.toThrow(DeviceLostError);
    device.gpuDevice?.destroy();
    await settled;
    expect((await device.lost).reason).toBe('destroyed');
    expect(() => relu(x)).toThrow(DeviceLostError);
    expect(() => tensor([1], { device })).toThrow(DeviceLostError);
    expect(() => y.backward(tensor([1, 1, 1, 1], { device }))).toThrow(DeviceLostError);
    await expect(y.data()).rejects.toThrow(DeviceLostError);
    await expect(device.synchronize()).rejects.toThrow(DeviceLostError);
    await expect(device.prepare([relu])).rejects.toThrow(DeviceLostError);
    expect(() => device.record({} as GPUCommandEncoder, () => 1)).toThrow(DeviceLostError);
    // Freeing is not an error.
    y.dispose();
    x.dispose();
    device.dispose();
    const next = await init({ backend: 'webgpu' });
    expect(await relu(tensor([-1, 1])).array()).toEqual([0, 1]);
    next.dispose();
  });

  it('names the reason', async () => {
    const device = await init({ backend: 'webgpu' });
    const x = tensor([1]);
    device.gpuDevice?.destroy();
    await device.lost;
    expect(() => relu(x)).toThrow(/relu.*lost/);
  });
});

describe('dispose', () => {
  it('ends the device and what was pending', async () => {
    const device = await init({ backend: 'webgpu' });
    const x = tensor(ramp(4));
    const y = relu(x);
    await y.data();
    device.dispose();
    device.dispose();
    expect(() => relu(x)).toThrow(DisposedError);
    expect(() => tensor([1], { device })).toThrow(DisposedError);
    await expect(y.data()).rejects.toThrow(DisposedError);
    await expect(device.synchronize()).rejects.toThrow(DisposedError);
    y.dispose();
    await device.lost;
  });

  it('frees what it made on a caller’s device', async () => {
    const gpu = await requestGpuDevice();
    const created: GPUBuffer[] = [];
    const create = gpu.createBuffer.bind(gpu);
    gpu.createBuffer = (descriptor) => {
      const buffer = create(descriptor);
      created.push(buffer);
      return buffer;
    };
    const device = await init({ device: gpu });
    const x = tensor(ramp(4));
    const y = relu(x);
    await y.data();
    const destroyed = new Set<GPUBuffer>();
    for (const buffer of created) {
      const destroy = buffer.destroy.bind(buffer);
      buffer.destroy = () => {
        destroyed.add(buffer);
        destroy();
      };
    }
    x.dispose();
    y.dispose();
    device.dispose();
    await gpu.queue.onSubmittedWorkDone();
    expect(created.length).toBeGreaterThan(2);
    expect(destroyed.size).toBe(created.length);
    gpu.destroy();
  });
});

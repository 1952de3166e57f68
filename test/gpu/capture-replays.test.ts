// What replays of a captured step cost, what becomes of them where something fails, and the memory that they have.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  add,
  capture,
  init,
  mean,
  mseLoss,
  mul,
  nn,
  NonlinError,
  optim,
  relu,
  scope,
  tensor,
  Tensor,
  type CapturedStep,
  type Device,
} from '../../src/index.ts';
import { overridden } from '../low-limits.ts';
import { openGpu, sharedGpuDevice } from '../open.ts';
import { collect } from './collect.ts';
import { gpuOf, requestGpuDevice, storageBuffer } from './gpu-device.ts';

interface Counts {
  buffers: number;
  groups: number;
  pipelines: number;
  writes: number;
  submits: number;
  passes: number;
}

/** A device whose calls are counted. */
async function counted(): Promise<{ device: Device; counts: Counts }> {
  const gpu = await sharedGpuDevice();
  const counts = { buffers: 0, groups: 0, pipelines: 0, writes: 0, submits: 0, passes: 0 };
  const queue = overridden(gpu.queue, {
    submit: (commands: GPUCommandBuffer[]) => {
      // A read that waits for some milliseconds submits nothing, so that browsers look for work that is done.
      if (commands.length > 0) counts.submits++;
      gpu.queue.submit(commands);
    },
    writeBuffer: (...args: Parameters<GPUQueue['writeBuffer']>) => {
      counts.writes++;
      gpu.queue.writeBuffer(...args);
    },
  });
  const view = overridden(gpu, {
    queue,
    createBuffer: (descriptor: GPUBufferDescriptor) => {
      counts.buffers++;
      return gpu.createBuffer(descriptor);
    },
    createBindGroup: (descriptor: GPUBindGroupDescriptor) => {
      counts.groups++;
      return gpu.createBindGroup(descriptor);
    },
    createComputePipelineAsync: (descriptor: GPUComputePipelineDescriptor) => {
      counts.pipelines++;
      return gpu.createComputePipelineAsync(descriptor);
    },
    createCommandEncoder: () => {
      const encoder = gpu.createCommandEncoder();
      const begin = encoder.beginComputePass.bind(encoder);
      encoder.beginComputePass = () => {
        counts.passes++;
        return begin();
      };
      return encoder;
    },
  });
  return { device: await init({ device: view }), counts };
}

interface Trained {
  readonly layers: nn.Sequential;
  readonly optimizer: optim.Adam;
  readonly fn: (x: Tensor, y: Tensor) => Tensor;
}

function network(device: Device): Trained {
  const layers = new nn.Sequential(
    new nn.Linear(2, 24, { device }),
    new nn.ReLU(),
    new nn.Linear(24, 24, { device }),
    new nn.ReLU(),
    new nn.Linear(24, 2, { device }),
  );
  const optimizer = new optim.Adam(layers.parameters());
  const fn = (x: Tensor, y: Tensor): Tensor => {
    optimizer.zeroGrad();
    const loss = mseLoss(layers.forward(x), y);
    loss.backward();
    optimizer.step();
    return loss;
  };
  return { layers, optimizer, fn };
}

const rows = (device: Device, i: number): Tensor =>
  tensor(
    Float32Array.from({ length: 120 }, (_, k) => Math.sin(k + i)),
    { shape: [60, 2], device },
  );

/** What a read rejects with. */
async function errorOf(read: Promise<unknown>): Promise<NonlinError> {
  const error: unknown = await read.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof NonlinError)) throw new Error(`no error of ours: ${String(error)}`);
  return error;
}

describe('the cost of a replay', () => {
  it('is one submit with one write and one pass: no buffers, bind groups or pipelines are made', async () => {
    const { device, counts } = await counted();
    const { fn } = network(device);
    const step = capture(fn);
    const x = rows(device, 0);
    const y = rows(device, 1);
    for (let i = 0; i < 3; i++) {
      const loss = step(x, y);
      await loss.item();
      loss.dispose();
    }
    await device.synchronize();
    const before = { ...counts };
    const { dispatches } = device.stats();
    const replays = 5;
    const losses: Tensor[] = [];
    for (let i = 0; i < replays; i++) {
      const loss = step(x, y);
      losses.push(loss);
      // One at a time, so that results take the memory of earlier ones.
      await Promise.resolve();
      loss.dispose();
    }
    await Promise.resolve();
    expect({
      buffers: counts.buffers - before.buffers,
      groups: counts.groups - before.groups,
      pipelines: counts.pipelines - before.pipelines,
      writes: counts.writes - before.writes,
      submits: counts.submits - before.submits,
      passes: counts.passes - before.passes,
    }).toEqual({
      buffers: 0,
      groups: 0,
      pipelines: 0,
      writes: replays,
      submits: replays,
      passes: replays,
    });
    expect(device.stats().dispatches - dispatches).toBeGreaterThan(10 * replays);
    step.dispose();
    device.dispose();
  });

  it('is less where nothing changes: no write; a read joins the submit', async () => {
    const { device, counts } = await counted();
    const w = tensor([1, 2], { device });
    const step = capture((x: Tensor) => relu(mul(x, w)));
    const x = tensor([3, -4], { device });
    for (let i = 0; i < 3; i++) await step(x).data();
    const before = { ...counts };
    expect(await step(x).array()).toEqual([3, 0]);
    expect(counts.writes - before.writes).toBe(0);
    expect(counts.submits - before.submits).toBe(1);
    step.dispose();
    device.dispose();
  });
});

describe('memory', () => {
  let device: Device;
  beforeEach(async () => {
    device = await openGpu();
  });
  afterEach(async () => {
    await device.synchronize();
    device.dispose();
  });

  it('is planned: less than what the function takes, the same after any number of replays, and given back', async () => {
    const chain = (x: Tensor): Tensor => {
      let y = x;
      for (let i = 0; i < 20; i++) y = relu(add(y, x));
      return mean(y);
    };
    const x = tensor(new Float32Array(65_536), { device });
    const before = device.stats();
    const step = capture(chain);
    step(x).dispose();
    const after = device.stats();
    // An input, two intermediates at a time, and small ones: of 40 that are made.
    expect(after.liveBytes - before.liveBytes).toBeLessThan(5 * 4 * 65_536);
    for (let i = 0; i < 20; i++) step(x).dispose();
    await device.synchronize();
    expect(device.stats().liveBytes).toBe(after.liveBytes);
    step.dispose();
    expect(device.stats().liveBytes).toBe(before.liveBytes);
    expect(device.stats().liveBuffers).toBe(before.liveBuffers);
  });

  it('is not taken from tensors: gradients and states outlive the step', async () => {
    const { layers, optimizer, fn } = network(device);
    const step = capture(fn);
    for (let i = 0; i < 3; i++) scope(() => void step(rows(device, i), rows(device, i + 9)));
    const all = [
      ...layers.parameters().flatMap(({ grad }) => grad ?? []),
      ...optimizer.stateDict().state.flat(),
    ];
    const read = async (): Promise<number[][]> =>
      Promise.all(all.map(async (one) => [...(await one.data())]));
    const before = await read();
    step.dispose();
    // What is made now takes any memory that is free.
    const junk = all.map((one) => add(tensor(new Float32Array(one.size), { device }), 7));
    expect(await read()).toEqual(before);
    for (const one of junk) one.dispose();
    optimizer.dispose();
    layers.dispose();
    expect(all.some((one) => !one.disposed)).toBe(false);
  });

  it('comes back where a step is collected', async () => {
    const x = tensor(new Float32Array(4096), { device });
    const before = device.stats().liveBuffers;
    (() => {
      const step = capture((y: Tensor) => relu(mul(y, y)));
      step(x).dispose();
      step(x).dispose();
    })();
    await device.synchronize();
    expect(device.stats().liveBuffers).toBeGreaterThan(before);
    await collect(() => device.stats().liveBuffers === before);
    expect(device.stats().liveBuffers).toBe(before);
  });

  it("of a caller is read and written where it is, and a parameter's is looked for anew", async () => {
    const gpu = gpuOf(device);
    const w = tensor([2, 3], { device });
    const step = capture((x: Tensor) => mul(x, w));
    const own = (values: number[], usage: number): Tensor => {
      const buffer = gpu.createBuffer({ size: 8, usage });
      gpu.queue.writeBuffer(buffer, 0, Float32Array.from(values));
      return Tensor.fromBuffer(buffer, { shape: [2], device });
    };
    const { STORAGE, COPY_DST } = GPUBufferUsage;
    // Without COPY_SRC it cannot be copied.
    for (const values of [
      [1, 2],
      [3, 4],
    ]) {
      const [a = 0, b = 0] = values;
      expect(await step(own(values, STORAGE | COPY_DST)).array()).toEqual([2 * a, 3 * b]);
    }
    const borrowed = Tensor.fromBuffer(storageBuffer(gpu, Float32Array.of(5, 6)), {
      shape: [2],
      device,
    });
    expect(await step(borrowed).array()).toEqual([10, 18]);
    expect(step.captures).toBe(1);
    step.dispose();
  });
});

describe('device.record', () => {
  it('has the launches of a step that was captured before, and of one that is captured there', async () => {
    const device = await openGpu();
    const gpu = gpuOf(device);
    const run = async (recorded: readonly number[]): Promise<number[][]> => {
      const { layers, fn, optimizer } = network(device);
      for (const [i, one] of layers.parameters().entries()) nn.init.constant_(one, 0.1 + 0.05 * i);
      const step = capture(fn);
      const losses: Tensor[] = [];
      for (let i = 0; i < 4; i++) {
        if (!recorded.includes(i)) {
          losses.push(step(rows(device, i), rows(device, i + 5)));
          continue;
        }
        const encoder = gpu.createCommandEncoder();
        losses.push(device.record(encoder, () => step(rows(device, i), rows(device, i + 5))));
        gpu.queue.submit([encoder.finish()]);
      }
      expect(step.captures).toBe(1);
      expect(optimizer.stateDict().steps).toEqual([4, 4, 4, 4, 4, 4]);
      const all = [...losses, ...layers.parameters()];
      const values = await Promise.all(all.map(async (one) => [...(await one.data())]));
      step.dispose();
      return values;
    };
    const expected = await run([]);
    expect(await run([0, 2])).toEqual(expected);
    expect(await run([1, 3])).toEqual(expected);
    await device.synchronize();
    device.dispose();
  });

  it('is refused in the function', async () => {
    const device = await openGpu();
    const encoder = gpuOf(device).createCommandEncoder();
    const step = capture((x: Tensor) => device.record(encoder, () => relu(x)));
    expect(() => step(tensor([1], { device }))).toThrow(/device\.record: expected no encoder/);
    device.dispose();
  });
});

describe('faults', () => {
  let gpu: GPUDevice;
  let device: Device;
  let step: CapturedStep<[x: Tensor, y: Tensor], Tensor>;
  let trained: Trained;
  beforeEach(async () => {
    gpu = await requestGpuDevice();
    device = await init({ device: gpu });
    trained = network(device);
    step = capture(trained.fn);
    for (let i = 0; i < 2; i++) step(rows(device, i), rows(device, i + 5));
    await device.synchronize();
  });
  afterEach(() => {
    device.dispose();
    gpu.destroy();
  });

  it('an input that has failed: the results fail, parameters and counts are as they were', async () => {
    const before = await Promise.all(trained.layers.parameters().map((one) => one.array()));
    const buffer = storageBuffer(gpu, new Float32Array(120));
    const x = Tensor.fromBuffer(buffer, { shape: [60, 2], device });
    buffer.destroy();
    const failed = step(mul(x, 2), rows(device, 0));
    const after = step(rows(device, 3), rows(device, 4));
    expect((await errorOf(failed.item())).op).toBeTruthy();
    const grads = trained.layers.parameters().flatMap(({ grad }) => grad ?? []);
    expect(grads.length).toBe(6);
    expect(Number.isFinite(await after.item())).toBe(true);
    await Promise.all(grads.map((grad) => grad.data()));
    expect(trained.optimizer.stateDict().steps).toEqual([3, 3, 3, 3, 3, 3]);
    expect(await trained.layers.parameters()[0]?.array()).not.toEqual(before[0]);
    await device.synchronize().catch(() => undefined);
  });

  it('an input that has failed, alone: gradients have failed as well', async () => {
    const before = await Promise.all(trained.layers.parameters().map((one) => one.array()));
    const buffer = storageBuffer(gpu, new Float32Array(120));
    const x = Tensor.fromBuffer(buffer, { shape: [60, 2], device });
    buffer.destroy();
    const failed = step(x, rows(device, 0));
    await errorOf(failed.item());
    for (const { grad } of trained.layers.parameters())
      await errorOf(grad?.data() ?? Promise.resolve());
    expect(trained.optimizer.stateDict().steps).toEqual([2, 2, 2, 2, 2, 2]);
    expect(await Promise.all(trained.layers.parameters().map((one) => one.array()))).toEqual(
      before,
    );
    await device.synchronize().catch(() => undefined);
  });

  it("a caller's memory that the function uses and that is gone: parameters and counts are as they were", async () => {
    const buffer = storageBuffer(gpu, new Float32Array(120).fill(2));
    const factors = Tensor.fromBuffer(buffer, { shape: [60, 2], device });
    const { layers, optimizer, fn } = network(device);
    const own = capture((x: Tensor, y: Tensor) => fn(mul(x, factors), y));
    for (let i = 0; i < 2; i++) own(rows(device, i), rows(device, i + 5));
    const before = await Promise.all(layers.parameters().map((one) => one.array()));
    expect(optimizer.stateDict().steps).toEqual([2, 2, 2, 2, 2, 2]);
    buffer.destroy();
    await errorOf(own(rows(device, 0), rows(device, 1)).item());
    expect(optimizer.stateDict().steps).toEqual([2, 2, 2, 2, 2, 2]);
    expect(await Promise.all(layers.parameters().map((one) => one.array()))).toEqual(before);
    await device.synchronize().catch(() => undefined);
  });

  it('a device that is lost or disposed of', async () => {
    gpu.destroy();
    await device.lost;
    expect(() => step(rows(device, 0), rows(device, 1))).toThrow(/lost/);
  });
});

it('launches whose tensors are merged for a device that binds few: the same bits', async () => {
  const run = async (captured: boolean): Promise<number[][]> => {
    const device = await openGpu({ limits: { maxStorageBuffersPerShaderStage: 4 } });
    const { layers, fn } = network(device);
    for (const [i, one] of layers.parameters().entries()) nn.init.constant_(one, 0.1 + 0.05 * i);
    const step = captured ? capture(fn) : fn;
    for (let i = 0; i < 4; i++) scope(() => void step(rows(device, i), rows(device, i + 5)));
    const all = await Promise.all(layers.parameters().map(async (one) => [...(await one.data())]));
    device.dispose();
    return all;
  };
  expect(await run(true)).toEqual(await run(false));
});

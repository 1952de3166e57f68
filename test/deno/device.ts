// What depends on the WebGPU implementation beyond single ops: binding limit, status word, caches.
import {
  crossEntropy,
  DeviceMismatchError,
  IndexOutOfRangeError,
  init,
  leakyRelu,
  mseLoss,
  relu,
  scope,
  tensor,
  Tensor,
  type Device,
} from '../../src/index.ts';
import { ensure, ensureEqual, ensureRejects, type Check } from '../check.ts';

const MIB = 2 ** 20;

/** Past what one binding holds by default, in elements; not a multiple of four. */
const LARGE = (128 * MIB) / 4 + 65_537 + 2;

/** A device with WebGPU's default limits (bindings of 128 MiB), whatever the adapter could do. */
async function withDefaultLimits(run: (device: Device) => Promise<void>): Promise<void> {
  const adapter = await navigator.gpu.requestAdapter();
  ensure(adapter !== null, 'no adapter');
  const gpu = await adapter.requestDevice();
  ensureEqual(gpu.limits.maxStorageBufferBindingSize, 128 * MIB, 'the binding limit');
  const device = await init({ device: gpu });
  try {
    await run(device);
  } finally {
    device.dispose();
    gpu.destroy();
  }
}

/** Class indices that the library has not seen on the host: in a buffer of the caller. */
function unseenClasses(device: Device, classes: readonly number[]): Tensor {
  const gpu = device.gpuDevice;
  ensure(gpu !== null, 'not a GPU device');
  const data = Int32Array.from(classes);
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const buffer = gpu.createBuffer({ size: data.byteLength, usage });
  gpu.queue.writeBuffer(buffer, 0, data);
  return Tensor.fromBuffer(buffer, { shape: [data.length], dtype: 'int32', device });
}

async function trainingStep(x: Tensor, target: Tensor): Promise<void> {
  const loss = scope(() => {
    const result = mseLoss(leakyRelu(x), target);
    result.backward();
    return result;
  });
  ensure(Number.isFinite(await loss.item()), 'no finite loss');
  loss.dispose();
  x.grad?.dispose();
  x.grad = null;
}

export const deviceChecks: readonly Check<Device>[] = [
  {
    name: 'a tensor past the binding limit is processed in windows',
    run: () =>
      withDefaultLimits(async (device) => {
        const values = new Float32Array(LARGE);
        for (let i = 0; i < LARGE; i++) values[i] = i % 2 === 0 ? i + 1 : -i;
        const x = tensor(values, { device });
        const before = device.stats().dispatches;
        const y = relu(x);
        const result = await y.data();
        ensureEqual(device.stats().dispatches - before, 2, 'dispatches');
        ensureEqual(result.length, LARGE, 'elements');
        let wrong = 0;
        for (let i = 0; i < LARGE; i++) if (result[i] !== Math.max(values[i] ?? NaN, 0)) wrong++;
        ensureEqual(wrong, 0, 'elements that are wrong');
      }),
  },
  {
    name: 'a class index out of range is reported at the next read, once',
    run: async (device) => {
      const logits = tensor(
        [
          [1, 2, 3],
          [0, 0, 0],
        ],
        { device },
      );
      const wrong = unseenClasses(device, [2, 3]);
      const losses = crossEntropy(logits, wrong, { reduction: 'none' });
      await ensureRejects(losses.data(), IndexOutOfRangeError);
      const [first = NaN, second = 0] = await losses.data();
      ensure(Math.abs(first - 0.40760597) < 1e-6, `${first} for the row in range`);
      ensure(Number.isNaN(second), `${second} for the row out of range`);
      const right = unseenClasses(device, [2, 0]);
      const others = crossEntropy(logits, right, { reduction: 'none' });
      await others.data();
      // What is left to garbage collection comes back to the pool at any time, also while the next check counts.
      for (const one of [logits, wrong, losses, right, others]) one.dispose();
    },
  },
  {
    name: 'a training step allocates and compiles nothing once warm',
    run: async (device) => {
      const x = tensor(
        Float32Array.from({ length: 1000 }, (_, i) => i / 500 - 1),
        {
          device,
          requiresGrad: true,
        },
      );
      const target = tensor(new Float32Array(1000), { device });
      for (let i = 0; i < 3; i++) await trainingStep(x, target);
      const warm = device.stats();
      for (let i = 0; i < 20; i++) await trainingStep(x, target);
      const after = device.stats();
      for (const key of ['buffersCreated', 'bindGroupsCreated', 'pipelinesCompiled'] as const) {
        ensureEqual(after[key], warm[key], key);
      }
    },
  },
  {
    name: 'a buffer of another device is told by the next read, and nothing else fails',
    run: async (device) => {
      const adapter = await navigator.gpu.requestAdapter();
      ensure(adapter !== null, 'no adapter');
      const other = await adapter.requestDevice();
      const buffer = other.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE });
      const x = Tensor.fromBuffer(buffer, { shape: [4], device });
      await ensureRejects(relu(x).data(), DeviceMismatchError);
      ensureEqual((await relu(tensor([-1, 2], { device })).data())[1], 2, 'what is whole');
      other.destroy();
    },
  },
];

// What class losses cost: dispatches, submits, and memory beyond the inputs, counted on a wrapped GPUDevice.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { crossEntropy, init, tensor, type Device, type Tensor } from '../../src/index.ts';
import { overridden } from '../low-limits.ts';
import { sharedGpuDevice } from '../open.ts';
import { inParts } from '../parts.ts';

interface Counted {
  readonly device: Device;
  /** Since the last reset. */
  readonly count: { dispatches: number; submits: number; live: number; peak: number };
}

/** A device whose buffers, dispatches and submits are counted as the browser sees them. */
async function counted(tuning: 'software' | 'hardware'): Promise<Counted> {
  const shared = await sharedGpuDevice();
  const count = { dispatches: 0, submits: 0, live: 0, peak: 0 };
  const createBuffer = (descriptor: GPUBufferDescriptor): GPUBuffer => {
    const buffer = shared.createBuffer(descriptor);
    count.live += descriptor.size;
    count.peak = Math.max(count.peak, count.live);
    const destroy = buffer.destroy.bind(buffer);
    buffer.destroy = () => {
      count.live -= descriptor.size;
      destroy();
    };
    return buffer;
  };
  const createCommandEncoder = (descriptor?: GPUCommandEncoderDescriptor): GPUCommandEncoder => {
    const encoder = shared.createCommandEncoder(descriptor);
    const beginComputePass = encoder.beginComputePass.bind(encoder);
    encoder.beginComputePass = (pass) => {
      const made = beginComputePass(pass);
      const dispatch = made.dispatchWorkgroups.bind(made);
      made.dispatchWorkgroups = (...extents) => {
        count.dispatches++;
        dispatch(...extents);
      };
      return made;
    };
    return encoder;
  };
  let seen = 0;
  const submit = (commands: GPUCommandBuffer[]): void => {
    // Reads copy what they read in a submit of their own.
    if (count.dispatches > seen) count.submits++;
    seen = count.dispatches;
    shared.queue.submit(commands);
  };
  const queue = overridden(shared.queue, { submit });
  const device = overridden(shared, { createBuffer, createCommandEncoder, queue });
  return { device: await init({ device, tuning }), count };
}

const ADAPTERS = { 'as it is': 'software', 'as hardware': 'hardware' } as const;

/** Everything a training step hands to cross-entropy: one in so many shapes that each variant of the planner is met. */
const SHAPES: readonly (readonly number[])[] = [
  [512, 1000],
  [8, 128_256],
  [4096, 10],
  [1, 20_000],
  [3, 7],
  [2, 21, 100, 100],
  [70_000, 3],
];

for (const [adapter, tuning] of Object.entries(ADAPTERS)) {
  describe(`cross-entropy, ${adapter}`, () => {
    let device: Device;
    let count: Counted['count'];
    // A new one for each test: an empty pool has no memory that would not be counted.
    beforeEach(async () => {
      ({ device, count } = await counted(tuning));
    });
    afterEach(() => {
      device.dispose();
    });

    /** Runs a step on fresh inputs; what it took after they were there. */
    async function cost(
      shape: readonly number[],
      options: object,
      requiresGrad: boolean,
      dtype: 'float32' | 'float16' = 'float32',
    ): Promise<Counted['count']> {
      const size = shape.reduce((a, b) => a * b, 1);
      const rowShape = shape.filter((_, d) => d !== 1);
      const input = tensor(new Float32Array(size), {
        shape: [...shape],
        dtype,
        device,
        requiresGrad,
      });
      const target = tensor(new Int32Array(size / (shape[1] ?? 1)), {
        shape: rowShape,
        dtype: 'int32',
        device,
      });
      await device.synchronize();
      const [before, base] = [{ ...count }, count.live];
      count.peak = count.live;
      const loss = crossEntropy(input, target, options);
      if (requiresGrad) loss.backward();
      await Promise.resolve();
      await device.synchronize();
      const used = {
        dispatches: count.dispatches - before.dispatches,
        submits: count.submits - before.submits,
        live: count.live - before.live,
        peak: count.peak - base,
      };
      for (const one of [loss, input.grad, input, target]) one?.dispose();
      return used;
    }

    it('takes two dispatches with the gradient of a mean over classes that the host knows', async () => {
      expect((await cost([4096, 10], {}, true)).dispatches).toBe(2);
    });

    for (const [shapes, tags] of inParts(SHAPES, 2)) {
      it.each(shapes.map((shape) => [shape]))(
        'takes two dispatches, three with the gradient, one submit: %j',
        tags,
        async (shape) => {
          for (const options of [{}, { reduction: 'sum' }, { labelSmoothing: 0.1 }]) {
            const forward = await cost(shape, options, false);
            expect(forward.dispatches).toBeLessThanOrEqual(2);
            expect(forward.submits).toBe(1);
            const step = await cost(shape, options, true);
            expect(step.dispatches).toBeLessThanOrEqual(3);
            expect(step.submits).toBe(1);
          }
        },
      );
    }

    for (const shape of [
      [8, 128_256],
      [512, 1000],
    ]) {
      it(`needs little more than the gradient: [${shape.join()}]`, async () => {
        const logits = shape.reduce((a, b) => a * b, 4);
        expect((await cost(shape, {}, false)).peak).toBeLessThanOrEqual(64 * 1024);
        device.dispose();
        ({ device, count } = await counted(tuning));
        const { peak } = await cost(shape, {}, true);
        expect(peak).toBeGreaterThanOrEqual(logits);
        expect(peak).toBeLessThanOrEqual(1.1 * logits);
      });
    }

    it('launches nothing for backward() of a scalar loss', async () => {
      const input: Tensor = tensor([[1, 2, 3]], { device, requiresGrad: true });
      const loss = crossEntropy(input, tensor([1], { dtype: 'int32', device }));
      await device.synchronize();
      const before = { ...count };
      loss.backward();
      await device.synchronize();
      expect(count).toEqual(before);
      loss.dispose();
      input.dispose();
    });

    it('reads float16 as it is stored: no dispatch more but for the loss', async () => {
      const shape = [512, 1000];
      const used = await cost(shape, {}, true, 'float16');
      expect(used.dispatches).toBeLessThanOrEqual(4);
      expect(used.peak).toBeLessThanOrEqual(1.1 * 2 * 512_000);
    });
  });
}

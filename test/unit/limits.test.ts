// Every op at the limits of WebGPU's compatibility mode, with four storage buffers a shader: on Dawn's null backend, which
// checks shaders, pipelines and launches against a device's limits and computes nothing.
import { afterAll, beforeAll, describe, expect, it, type TestOptions } from 'vitest';
import { create } from 'webgpu';
import { WebGpuDevice } from '../../src/gpu/device.ts';
import type { Device } from '../../src/index.ts';
import { HARDWARE, SOFTWARE, type Tuning } from '../../src/kernels/tuning.ts';
import { opNames, upload } from '../calls.ts';
import {
  exerciseAdaptive,
  exerciseChunks,
  exerciseNorms,
  exerciseOp,
  exerciseOptimizers,
  exerciseTransformers,
} from '../exercise.ts';
import { withLowLimits } from '../low-limits.ts';
import { LONG } from '../parts.ts';

// Dawn crashes if its entry point is collected while a device is in use.
const entry = create(['backend=null']);

async function requestLowDevice(): Promise<GPUDevice> {
  const adapter = await entry.requestAdapter({ featureLevel: 'compatibility' });
  if (!adapter) throw new Error('no adapter');
  return withLowLimits(await adapter.requestDevice(), 4);
}

const PLANS: [string, Tuning, TestOptions][] = [
  ['hardware', HARDWARE, {}],
  ['a software adapter', SOFTWARE, LONG],
];

for (const [plan, tuning, tags] of PLANS) {
  describe(`at low limits, on the plan for ${plan}`, tags, () => {
    let device: Device;
    beforeAll(async () => {
      const gpu = await requestLowDevice();
      expect(gpu.limits.maxComputeInvocationsPerWorkgroup).toBe(128);
      expect(gpu.limits.maxUniformBufferBindingSize).toBe(16384);
      device = new WebGpuDevice(gpu, { name: 'null', tuning, owned: true });
    });
    afterAll(() => {
      device.dispose();
    });

    for (const op of opNames) {
      it(op, { timeout: 60_000 }, async () => {
        for (const dtype of ['float32', 'float16'] as const) {
          await exerciseOp(op, dtype, upload, device, 12);
        }
      });
    }
    for (const dtype of ['float32', 'float16'] as const) {
      it(`optimizers in ${dtype}`, () => exerciseOptimizers(dtype, device));
      it(`an adaptive softmax in ${dtype}`, () => exerciseAdaptive(dtype, device));
      it(`layers of transformers in ${dtype}`, () => exerciseTransformers(dtype, device));
      it(`norms that keep something in ${dtype}`, () => exerciseNorms(dtype, device));
    }
    it('rows in chunks', () => exerciseChunks(device));
  });
}

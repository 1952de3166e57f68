// A first call's pipelines are compiled in the background, side by side; and what is watched for faults.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { init, relu, sigmoid, tanh, tensor, type Device } from '../../src/index.ts';
import { requestGpuDevice } from './gpu-device.ts';

type Counted = 'createComputePipeline' | 'createComputePipelineAsync' | 'pushErrorScope';

/** Counts a device's calls of a method. */
function count(gpu: GPUDevice, name: Counted): () => number {
  let calls = 0;
  const method = (gpu[name] as (...args: unknown[]) => unknown).bind(gpu);
  Object.defineProperty(gpu, name, {
    value: (...args: unknown[]) => {
      calls++;
      return method(...args);
    },
  });
  return () => calls;
}

for (const tuning of ['software', 'hardware'] as const) {
  describe(`tuned for ${tuning}`, () => {
    let gpu: GPUDevice;
    let device: Device;
    let onTheSpot: () => number;
    let inBackground: () => number;
    beforeEach(async () => {
      gpu = await requestGpuDevice();
      device = await init({ device: gpu, tuning });
      onTheSpot = count(gpu, 'createComputePipeline');
      inBackground = count(gpu, 'createComputePipelineAsync');
    });
    afterEach(() => {
      device.dispose();
      gpu.destroy();
    });

    it('one pipeline', async () => {
      const x = tensor([-1, 2], { device });
      expect(await relu(x).data()).toEqual(Float32Array.of(0, 2));
      expect([onTheSpot(), inBackground()]).toEqual([0, 1]);
      // Once is enough.
      await relu(x).data();
      expect(onTheSpot() + inBackground()).toBe(1);
    });

    it('several, in one batch', async () => {
      await tanh(sigmoid(relu(tensor([-1, 2], { device })))).data();
      expect([onTheSpot(), inBackground()]).toEqual([0, 3]);
    });

    it('one, while a result is waited for: in the background', async () => {
      const x = tensor([-1, 2], { device });
      const first = relu(x).data();
      const second = tanh(x).data();
      await Promise.all([first, second]);
      expect([onTheSpot(), inBackground()]).toEqual([0, 2]);
    });

    it('prepared ahead: in the background', async () => {
      await device.prepare([relu]);
      expect(onTheSpot()).toBe(0);
    });

    it('an op opens one set of error scopes, its submit another', async () => {
      const x = tensor([-1, 2], { device });
      await relu(x).data();
      const scopes = count(gpu, 'pushErrorScope');
      // Its buffer, module and pipeline layout; then bind group and submit.
      await tanh(x).data();
      expect(scopes()).toBe(6);
      await tanh(x).data();
      // A buffer, as the one before is still in use, and the submit.
      expect(scopes()).toBe(12);
    });
  });
}

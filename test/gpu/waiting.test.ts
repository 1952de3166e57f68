// No wait lasts for ever: a promise that the browser leaves open, or a device that is lost.
import { afterEach, expect, it } from 'vitest';
import {
  defineActivation,
  DeviceLostError,
  init,
  relu,
  ShaderError,
  tensor,
  type Device,
} from '../../src/index.ts';
import { requestGpuDevice, requestHardwareLike } from './gpu-device.ts';

const broken = defineActivation({
  name: 'broken',
  wgsl: 'fn forward(x: f32, p: Params) -> f32 { return undeclared(x); }\nfn backward(x: f32, g: f32, p: Params) -> f32 { return g; }',
  forward: (x) => x,
  backward: (_x, gradOutput) => gradOutput,
});

async function requestCompatible(): Promise<GPUDevice> {
  const adapter = await navigator.gpu.requestAdapter({ featureLevel: 'compatibility' });
  if (!adapter) throw new Error('no WebGPU adapter in this browser');
  return adapter.requestDevice();
}

let gpu: GPUDevice;
let device: Device;
afterEach(() => {
  device.dispose();
  gpu.destroy();
});

for (const [adapter, request] of [
  ['as it is', requestGpuDevice],
  ['as hardware', requestHardwareLike],
  ['in compatibility mode', requestCompatible],
] as const) {
  it(`an activation that does not compile, and nothing else is called: ${adapter}`, async () => {
    gpu = await request();
    device = await init({ device: gpu });
    const x = tensor([1, 2]);
    const results = [broken(x), broken(x)];
    for (const y of results) await expect(y.data()).rejects.toThrow(ShaderError);
    expect(await relu(x).array()).toEqual([1, 2]);
  }, 5000);

  it(`what the compiler has to say is not waited for too long: ${adapter}`, async () => {
    gpu = await request();
    device = await init({ device: gpu });
    const createShaderModule = gpu.createShaderModule.bind(gpu);
    gpu.createShaderModule = (descriptor) => {
      const module = createShaderModule(descriptor);
      module.getCompilationInfo = () => new Promise(() => undefined);
      return module;
    };
    // Two at a time, so that they are compiled in the background.
    const x = tensor([1, 2]);
    const [y, z] = [relu(x), broken(x)];
    await expect(z.data()).rejects.toThrow(ShaderError);
    expect(await y.array()).toEqual([1, 2]);
  }, 5000);
}

it('a device that is lost while the compiler is asked', async () => {
  gpu = await requestHardwareLike();
  device = await init({ device: gpu });
  const createShaderModule = gpu.createShaderModule.bind(gpu);
  gpu.createShaderModule = (descriptor) => {
    const module = createShaderModule(descriptor);
    module.getCompilationInfo = () => new Promise(() => undefined);
    return module;
  };
  const read = broken(tensor([1])).data();
  gpu.destroy();
  await expect(read).rejects.toThrow(DeviceLostError);
}, 5000);

for (const name of ['createComputePipelineAsync', 'popErrorScope'] as const) {
  it(`a promise of ${name} that stays open ends with the device`, async () => {
    gpu = await requestHardwareLike();
    device = await init({ device: gpu });
    await device.synchronize();
    Object.defineProperty(gpu, name, { value: () => new Promise(() => undefined) });
    const x = tensor([1, 2]);
    const waits: Promise<unknown>[] = [relu(x).data(), device.synchronize()];
    if (name === 'createComputePipelineAsync') waits.push(device.prepare([relu]));
    setTimeout(() => {
      gpu.destroy();
    }, 100);
    for (const wait of waits) await expect(wait).rejects.toThrow(DeviceLostError);
  }, 5000);
}

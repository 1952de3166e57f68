// A shader of the user's that does not compile is an error at the next read, with the compiler's words, and nothing else.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { defineActivation, init, relu, ShaderError, tensor, type Device } from '../../src/index.ts';
import { requestGpuDevice } from './gpu-device.ts';

const broken = defineActivation({
  name: 'broken',
  wgsl: 'fn forward(x: f32, p: Params) -> f32 { return undeclared(x); }\nfn backward(x: f32, g: f32, p: Params) -> f32 { return g; }',
  forward: (x) => x,
  backward: (_x, gradOutput) => gradOutput,
});

let gpu: GPUDevice;
let device: Device;
const uncaptured: string[] = [];

beforeEach(async () => {
  gpu = await requestGpuDevice();
  uncaptured.length = 0;
  gpu.addEventListener('uncapturederror', (event) => uncaptured.push(event.error.message));
  device = await init({ device: gpu });
});

afterEach(() => {
  device.dispose();
  gpu.destroy();
});

test('at the next read, once', async () => {
  const x = tensor([-1, 2], { device });
  const y = broken(x);
  await expect(y.data()).rejects.toThrow(ShaderError);
  // The device is as good as before.
  expect(Array.from(await relu(x).data())).toEqual([0, 2]);
  expect(uncaptured).toEqual([]);
});

test('with the message of the compiler', async () => {
  const y = broken(tensor([1], { device }));
  await expect(y.data()).rejects.toThrow(/undeclared/);
});

test('where it cannot be put together', async () => {
  const wgsl =
    '//#include "missing.wgsl"\nfn forward(x: f32, p: Params) -> f32 { return x; }\nfn backward(x: f32, g: f32, p: Params) -> f32 { return g; }';
  const lacking = defineActivation({
    name: 'lacking',
    wgsl,
    forward: (x) => x,
    backward: (_x, gradOutput) => gradOutput,
  });
  const y = lacking(tensor([1], { device }));
  await expect(y.data()).rejects.toThrow(ShaderError);
  await expect(device.prepare([lacking])).rejects.toThrow(/missing\.wgsl/);
  expect(Array.from(await relu(tensor([-1], { device })).data())).toEqual([0]);
});

test('in prepare, before any use', async () => {
  await expect(device.prepare([broken])).rejects.toThrow(ShaderError);
});

test('recorded into an encoder', async () => {
  const x = tensor([1], { device });
  const encoder = gpu.createCommandEncoder();
  const y = device.record(encoder, () => broken(x));
  gpu.pushErrorScope('validation');
  gpu.queue.submit([encoder.finish()]);
  await gpu.popErrorScope();
  await expect(y.data()).rejects.toThrow(ShaderError);
  expect(Array.from(await relu(x).data())).toEqual([1]);
});

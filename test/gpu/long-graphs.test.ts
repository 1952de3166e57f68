// Chains of thousands of ops: what they cost grows with their length, not with its square.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { init, leakyRelu, scope, tensor, type Device } from '../../src/index.ts';
import { requestGpuDevice } from './gpu-device.ts';

let gpu: GPUDevice;
let device: Device;
beforeEach(async () => {
  gpu = await requestGpuDevice();
  device = await init({ device: gpu });
});
afterEach(() => {
  device.dispose();
  gpu.destroy();
});

test('a chain opens few error scopes: browsers take a time that grows with the square of those awaited', async () => {
  let [open, most] = [0, 0];
  const pop = gpu.popErrorScope.bind(gpu);
  gpu.popErrorScope = async () => {
    most = Math.max(most, ++open);
    const error = await pop();
    open--;
    return error;
  };
  const length = 6000;
  const x = tensor(new Float32Array(16).fill(1));
  const y = scope(() => {
    let value = x;
    for (let i = 0; i < length; i++) value = leakyRelu(value, { negativeSlope: 0.5 });
    return value;
  });
  expect([...(await y.data())]).toEqual(new Array(16).fill(1));
  // Three for each of the 24 submits and of the groups of buffers; six thousand ops would open 18,000.
  expect(most).toBeLessThan(450);
});

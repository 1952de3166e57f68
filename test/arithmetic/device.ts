// Takes a GPUDevice and a freedom of hardware, and gives the same device, whose shaders compute with that freedom.
import type { Arithmetic } from './helpers.ts';
import { rewrite } from './rewrite.ts';

export function withArithmetic(device: GPUDevice, mode: Arithmetic): GPUDevice {
  const create = device.createShaderModule.bind(device);
  device.createShaderModule = (descriptor) =>
    create({ ...descriptor, code: rewrite(descriptor.code, mode) });
  return device;
}

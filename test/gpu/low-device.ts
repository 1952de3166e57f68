// A GPUDevice at the limits of compatibility mode, to which the browser holds it, that binds four storage buffers a shader.
import { expect } from 'vitest';
import { withLowLimits } from '../low-limits.ts';
import { requestCompatibilityDevice } from './gpu-device.ts';

const STORAGE_BUFFERS = 4;

/** `bindingSize`: the most bytes that a binding spans, where that is to be less. */
export async function requestLowDevice(bindingSize?: number): Promise<GPUDevice> {
  const device = await requestCompatibilityDevice();
  expect(device.limits.maxComputeInvocationsPerWorkgroup).toBe(128);
  expect(device.limits.maxComputeWorkgroupSizeX).toBe(128);
  return withLowLimits(device, STORAGE_BUFFERS, bindingSize);
}

// The golden cases at the limits of WebGPU's compatibility mode, to which the browser holds the device, and with the four
// storage buffers a shader that some drivers have.
import { describe, expect } from 'vitest';
import { init } from '../../src/index.ts';
import { withFewBuffers } from '../low-limits.ts';
import { conformanceSuite } from '../suites.ts';
import { asHardware, requestCompatibilityDevice } from './gpu-device.ts';

const STORAGE_BUFFERS = 4;

async function requestLowDevice(): Promise<GPUDevice> {
  const device = await requestCompatibilityDevice();
  expect(device.limits.maxComputeInvocationsPerWorkgroup).toBe(128);
  expect(device.limits.maxComputeWorkgroupSizeX).toBe(128);
  return withFewBuffers(device, STORAGE_BUFFERS);
}

describe('at the limits of compatibility mode, on this adapter', () => {
  conformanceSuite('webgpu', async () => init({ device: await requestLowDevice() }));
});

describe('at the limits of compatibility mode, as on a hardware adapter', () => {
  conformanceSuite('webgpu', async () => init({ device: asHardware(await requestLowDevice()) }));
});

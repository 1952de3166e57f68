// GPUDevices and buffers of our own, as a caller of the package would have them.

import { encode } from '../../src/core/dtype.ts';
import { Tensor, type Device } from '../../src/index.ts';
import type { Upload } from '../calls.ts';

export const STORAGE_USAGE =
  GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

/** A GPUDevice with default limits, or a failure: without an adapter there is nothing to test. */
export async function requestGpuDevice(): Promise<GPUDevice> {
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) throw new Error('no WebGPU adapter in this browser');
  return adapter.requestDevice();
}

/** A GPUDevice with the default limits of compatibility mode. */
export async function requestCompatibilityDevice(): Promise<GPUDevice> {
  const adapter = await navigator.gpu.requestAdapter({ featureLevel: 'compatibility' });
  if (!adapter) throw new Error('no WebGPU adapter in this browser');
  return adapter.requestDevice();
}

/** A device that claims smaller limits than it has, so that small tensors go the way of large ones. */
export async function requestLimitedDevice(
  limits: Partial<Record<keyof GPUSupportedLimits, number>>,
  given?: GPUDevice,
): Promise<GPUDevice> {
  const device = given ?? (await requestGpuDevice());
  const all: Record<string, unknown> = {};
  for (const name in device.limits) all[name] = Reflect.get(device.limits, name);
  Object.defineProperty(device, 'limits', { value: { ...all, ...limits } });
  return device;
}

/** A device that passes for a hardware GPU, so that the planner chooses as it would on one. */
export async function requestHardwareLike(): Promise<GPUDevice> {
  return asHardware(await requestGpuDevice());
}

/** The same, of a device that is there. */
export function asHardware(device: GPUDevice): GPUDevice {
  Object.defineProperty(device, 'adapterInfo', {
    value: {
      vendor: 'acme',
      architecture: 'unknown',
      device: '',
      description: '',
      isFallbackAdapter: false,
    },
  });
  return device;
}

/** What a device of ours stands on. */
export function gpuOf({ gpuDevice }: Device): GPUDevice {
  if (!gpuDevice) throw new Error('not a GPU device');
  return gpuDevice;
}

/** A storage buffer holding the given bytes. */
export function storageBuffer(
  device: GPUDevice,
  data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>,
): GPUBuffer {
  const buffer = device.createBuffer({ size: data.byteLength, usage: STORAGE_USAGE });
  device.queue.writeBuffer(buffer, 0, data);
  return buffer;
}

/** The bytes of a buffer after everything submitted so far. */
export async function readBuffer(device: GPUDevice, buffer: GPUBuffer): Promise<ArrayBuffer> {
  const staging = device.createBuffer({
    size: buffer.size,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const bytes = staging.getMappedRange().slice(0);
  staging.destroy();
  return bytes;
}

export async function readFloats(device: GPUDevice, buffer: GPUBuffer): Promise<number[]> {
  return [...new Float32Array(await readBuffer(device, buffer))];
}

/** A tensor in a buffer of a caller, of exactly its size: there is no padding to read or write. */
export const borrow: Upload = ({ shape, data }, dtype, device) => {
  const gpu = gpuOf(device);
  const elements = encode(dtype, data);
  const bytes = new Uint8Array(Math.max(4, Math.ceil(elements.byteLength / 4) * 4));
  bytes.set(new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength));
  const buffer = gpu.createBuffer({ size: bytes.length, usage: STORAGE_USAGE });
  gpu.queue.writeBuffer(buffer, 0, bytes);
  return Tensor.fromBuffer(buffer, { shape, dtype, device });
};

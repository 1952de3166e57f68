// In: what kind of device is wanted. Out: that device, now the default for new tensors, or a DeviceUnavailableError.
import { CpuDevice } from './cpu/device.ts';
import { setCurrentDevice } from './current.ts';
import type { Device } from './device.ts';
import { DeviceUnavailableError } from './errors.ts';
import { WebGpuDevice } from './gpu/device.ts';
import { checkOneOf, checkOptionNames } from './validate-options.ts';

export interface InitOptions {
  /**
   * `'auto'` (default): a hardware GPU if there is one, else the CPU; a software adapter is slower than plain loops.
   * `'webgpu'`: any adapter, or `DeviceUnavailableError`. `'cpu'`: the CPU.
   */
  backend?: 'auto' | 'webgpu' | 'cpu';
  /** Your own device, used as it is and never destroyed here; implies `'webgpu'`. */
  device?: GPUDevice;
  /** Passed on to `requestAdapter`. */
  powerPreference?: GPUPowerPreference;
  /** WebGPU's entry point where there is no `navigator.gpu`, e.g. `create([])` of the npm package `webgpu` in Node. */
  gpu?: GPU;
}

const entryPoints = /* @__PURE__ */ new WeakMap<Device, GPU>();

const BACKENDS = ['auto', 'webgpu', 'cpu'] as const;

/** Makes a device and the default for new tensors. Each call makes a new one; several may live side by side. */
export async function init(options: InitOptions = {}): Promise<Device> {
  checkOptionNames('init', options, ['backend', 'device', 'powerPreference', 'gpu']);
  const { backend = 'auto' } = options;
  checkOneOf('init', 'backend', backend, BACKENDS);
  const device = await open(backend, options);
  setCurrentDevice(device);
  return device;
}

async function open(backend: 'auto' | 'webgpu' | 'cpu', options: InitOptions): Promise<Device> {
  if (options.device) return wrap(options.device, options.device.adapterInfo, false);
  if (backend === 'cpu') return new CpuDevice();
  const gpu = options.gpu ?? (globalThis.navigator as Navigator | undefined)?.gpu;
  const { powerPreference } = options;
  const adapter = await gpu?.requestAdapter(powerPreference ? { powerPreference } : {});
  if (adapter && (backend === 'webgpu' || !isSoftware(adapter.info))) {
    try {
      const device = await adapter.requestDevice({
        requiredLimits: limitsOf(adapter),
        requiredFeatures: OPTIONAL_FEATURES.filter((feature) => adapter.features.has(feature)),
        label: 'nonlin',
      });
      const made = wrap(device, adapter.info, true);
      // Dawn for Node crashes if its entry point is collected while a device is in use.
      if (options.gpu) entryPoints.set(made, options.gpu);
      return made;
    } catch (cause) {
      if (backend === 'webgpu') throw unavailable('an adapter that refused a device', cause);
    }
  }
  if (backend === 'webgpu') throw unavailable(gpu ? 'no adapter' : 'no navigator.gpu');
  return new CpuDevice();
}

const OPTIONAL_FEATURES: readonly GPUFeatureName[] = ['shader-f16', 'subgroups', 'timestamp-query'];

/** All that the adapter can do: the defaults hold bindings to 128 MiB. */
function limitsOf(adapter: GPUAdapter): Record<string, number> {
  const limits: Record<string, number> = {};
  for (const name in adapter.limits) {
    const value: unknown = Reflect.get(adapter.limits, name);
    if (typeof value === 'number') limits[name] = value;
  }
  return limits;
}

/** Whether the GPU is a program on the CPU. */
function isSoftware(info: GPUAdapterInfo): boolean {
  const words = [info.vendor, info.architecture, info.device, info.description].join(' ');
  return (
    info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render|\bwarp\b/i.test(words)
  );
}

function wrap(device: GPUDevice, info: GPUAdapterInfo, owned: boolean): Device {
  const { description, vendor, architecture } = info;
  const name =
    description || [vendor, architecture].filter((word) => word !== '').join(' ') || 'WebGPU';
  return new WebGpuDevice(device, { name, software: isSoftware(info), owned });
}

function unavailable(received: string, cause?: unknown): DeviceUnavailableError {
  return new DeviceUnavailableError(
    { op: 'init', argument: 'backend', expected: 'a WebGPU device', received },
    { cause },
  );
}

// Opens a device: WebGPU or the CPU. It becomes the default for new tensors. Throws DeviceUnavailableError where there is
// none.
import { openCpu } from './cpu/optional.ts';
import { setCurrentDevice } from './core/current.ts';
import type { Device } from './core/device.ts';
import type { Gpu, GpuDevice } from './core/host-types.ts';
import { DeviceLostError, DeviceUnavailableError, LimitError } from './core/errors.ts';
import { WebGpuDevice } from './gpu/device.ts';
import { HARDWARE, SOFTWARE } from './kernels/tuning.ts';
import { checkHas, checkOneOf, checkOptionNames } from './core/validate-options.ts';

/** Options of `init`. */
export interface InitOptions {
  /**
   * `'auto'` (default): a hardware GPU if there is one, else the CPU; a software adapter is slower than plain loops.
   * `'webgpu'`: any adapter, or `DeviceUnavailableError`. `'cpu'`: the CPU.
   */
  backend?: 'auto' | 'webgpu' | 'cpu';
  /** Your own device, used as it is and never destroyed here; implies `'webgpu'`. */
  device?: GpuDevice;
  /** Passed on to `requestAdapter`. */
  powerPreference?: 'low-power' | 'high-performance';
  /**
   * How kernels are planned: for GPUs, or for adapters that are programs on the CPU. By default what the adapter is. Results
   * are within the same bounds; it is meant for tests and measurements.
   */
  tuning?: 'hardware' | 'software';
  /** WebGPU's entry point where there is no `navigator.gpu`, e.g. `create([])` of the npm package `webgpu` in Node. */
  gpu?: Gpu;
}

const entryPoints = /* @__PURE__ */ new WeakMap<Device, GPU>();

const BACKENDS = ['auto', 'webgpu', 'cpu'] as const;
const POWER = ['low-power', 'high-performance'] as const;
const TUNING = ['hardware', 'software'] as const;

/**
 * Makes a device and the default for new tensors. Each call makes a new one; several may live side by side.
 *
 * @example const device = await init();
 * @throws `OptionError` for an option that is unknown, or a value that it may not have.
 * @throws `DeviceUnavailableError` where there is no device of the kind that is asked for.
 * @throws `LimitError` where a device can do less than kernels need.
 * @throws `DeviceLostError` for a `device` that is lost already.
 */
export async function init(options: InitOptions = {}): Promise<Device> {
  checkOptionNames('init', options, ['backend', 'device', 'powerPreference', 'tuning', 'gpu']);
  const { backend = 'auto', device, powerPreference, tuning, gpu } = options;
  checkOneOf('init', 'backend', backend, BACKENDS);
  if (powerPreference !== undefined) checkOneOf('init', 'powerPreference', powerPreference, POWER);
  if (tuning !== undefined) checkOneOf('init', 'tuning', tuning, TUNING);
  if (gpu !== undefined) {
    checkHas('init', 'gpu', gpu, 'requestAdapter', 'a GPU, such as navigator.gpu');
  }
  if (device !== undefined) {
    checkHas('init', 'device', device, 'createComputePipeline', 'a GPUDevice');
    // With one, only the CPU would be something else.
    checkOneOf('init', 'backend', backend, ['auto', 'webgpu']);
  }
  const made = await open(backend, options);
  setCurrentDevice(made);
  return made;
}

async function open(backend: 'auto' | 'webgpu' | 'cpu', options: InitOptions): Promise<Device> {
  if (options.device) return ofCaller(options.device, options.tuning);
  const cpu = backend === 'webgpu' ? null : openCpu();
  if (backend === 'cpu') return cpu ?? unavailable('the CPU path', 'an app that leaves it out');
  const gpu = options.gpu ?? (globalThis.navigator as Navigator | undefined)?.gpu;
  let received = gpu ? 'no adapter' : 'no navigator.gpu';
  let cause: unknown;
  try {
    const { powerPreference } = options;
    const wanted = powerPreference ? { powerPreference } : {};
    const adapter =
      (await gpu?.requestAdapter(wanted)) ??
      // Older GPUs and drivers have WebGPU with lower limits only.
      (await gpu?.requestAdapter({ ...wanted, featureLevel: 'compatibility' }));
    if (adapter && !(cpu && isSoftware(adapter.info))) {
      const low = lowLimit(adapter.limits);
      if (low) throw new LimitError({ op: 'init', argument: 'backend', ...low });
      received = 'an adapter that refused a device';
      const device = await adapter.requestDevice({
        requiredLimits: limitsOf(adapter),
        requiredFeatures: OPTIONAL_FEATURES.filter((feature) => adapter.features.has(feature)),
        label: 'nonlin',
      });
      const made = wrap(device, adapter.info, true, options.tuning);
      // Dawn for Node crashes if its entry point is collected while a device is in use.
      if (options.gpu) entryPoints.set(made, options.gpu);
      return made;
    }
  } catch (error) {
    cause = error;
    if (error instanceof LimitError) received = `an adapter with ${error.received ?? ''}`;
  }
  return cpu ?? unavailable('a WebGPU device', received, cause);
}

function unavailable(expected: string, received: string, cause?: unknown): never {
  throw new DeviceUnavailableError(
    { op: 'init', argument: 'backend', expected, received },
    cause === undefined ? undefined : { cause },
  );
}

async function ofCaller(device: GPUDevice, tuning: InitOptions['tuning']): Promise<Device> {
  // Settled if the browser has told of its loss; of one that it tells later, the first call does.
  const gone = await Promise.race([device.lost, Promise.resolve(null)]);
  if (!gone) {
    const low = lowLimit(device.limits);
    if (low) throw new LimitError({ op: 'init', argument: 'device', ...low });
    return wrap(device, device.adapterInfo, false, tuning);
  }
  throw new DeviceLostError({
    op: 'init',
    argument: 'device',
    expected: 'a live GPU device',
    received: `a lost one (${gone.reason})`,
  });
}

/** No shader needs a feature; the benchmarks ask how long a dispatch takes on the GPU. */
const OPTIONAL_FEATURES: readonly GPUFeatureName[] = ['timestamp-query'];

/** All that the adapter can do: the defaults hold bindings to 128 MiB. */
function limitsOf(adapter: GPUAdapter): Record<string, number> {
  const limits: Record<string, number> = {};
  for (const name in adapter.limits) {
    const value: unknown = Reflect.get(adapter.limits, name);
    if (typeof value === 'number') limits[name] = value;
  }
  return limits;
}

/** The lowest limits that kernels can run with. Those of WebGPU's compatibility mode are higher. */
const NEEDED = {
  maxComputeInvocationsPerWorkgroup: 64,
  maxComputeWorkgroupSizeX: 64,
  maxComputeWorkgroupStorageSize: 4096,
  maxStorageBuffersPerShaderStage: 4,
} as const;

/** The first limit that is too low, in words, or null. */
function lowLimit(limits: GPUSupportedLimits): { expected: string; received: string } | null {
  for (const [name, needed] of Object.entries(NEEDED)) {
    const value = limits[name as keyof typeof NEEDED];
    if (!(value >= needed))
      return {
        expected: `${name} of at least ${needed}`,
        received: `${name} of ${value}`,
      };
  }
  return null;
}

/** @internal Whether the GPU is a program on the CPU. */
export function isSoftware(info: GPUAdapterInfo): boolean {
  const words = [info.vendor, info.architecture, info.device, info.description].join(' ');
  return (
    info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render|\bwarp\b/i.test(words)
  );
}

function wrap(
  device: GPUDevice,
  info: GPUAdapterInfo,
  owned: boolean,
  wanted: InitOptions['tuning'],
): Device {
  const { description, vendor, architecture } = info;
  const name =
    description || [vendor, architecture].filter((word) => word !== '').join(' ') || 'WebGPU';
  const software = wanted === undefined ? isSoftware(info) : wanted === 'software';
  return new WebGpuDevice(device, { name, tuning: software ? SOFTWARE : HARDWARE, owned });
}

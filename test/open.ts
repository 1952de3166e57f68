// Opens the devices of test suites. Those on the GPU stand on one GPUDevice for all files of a page (`isolate: false` in
// vite.config.ts), whose pipelines are kept: a kernel is compiled once for all files, and that is most of their time. Caches,
// pools and faults are of each device that is opened, as ever, so that files know nothing of each other.
// What loses, destroys or rewires a GPUDevice requests its own: test/gpu/gpu-device.ts.
import { init, type Device } from '../src/index.ts';
import { withLimits, type Limits } from './low-limits.ts';

export interface Wanted {
  /** By default that of the adapter. */
  readonly tuning?: 'hardware' | 'software';
  /** Limits that the device says that it has instead of the adapter's: small tensors go the way of large ones. */
  readonly limits?: Limits;
}

/** Limits of a device that is requested without any, where the adapters of tests have higher ones. */
const DEFAULTS: Limits = {
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 16_384,
};

let shared: Promise<GPUDevice> | null = null;

/** A GPUDevice as `init` requests it. Browsers give a pipeline that is still alive to whoever asks for the same. */
async function request(): Promise<GPUDevice> {
  const { gpuDevice: gpu } = await init({ backend: 'webgpu' });
  if (!gpu) throw new Error('not a GPU device');
  const kept = new Set<GPUComputePipeline>();
  const create = gpu.createComputePipeline.bind(gpu);
  const createAsync = gpu.createComputePipelineAsync.bind(gpu);
  gpu.createComputePipeline = (descriptor) => {
    const pipeline = create(descriptor);
    kept.add(pipeline);
    return pipeline;
  };
  gpu.createComputePipelineAsync = async (descriptor) => {
    const pipeline = await createAsync(descriptor);
    kept.add(pipeline);
    return pipeline;
  };
  // The next one to open a device is not to get a lost one.
  void gpu.lost.then(() => {
    shared = null;
  });
  return gpu;
}

/** The GPUDevice that all stand on: what is changed of it is changed on a view of it. */
export function sharedGpuDevice(): Promise<GPUDevice> {
  return (shared ??= request());
}

/**
 * Destroys the GPUDevice that all stand on, with its pipelines: the next device opens another. For runs so long that the pipelines
 * of all their kernels would be more than the browser's GPU process has memory for.
 */
export async function releaseGpu(): Promise<void> {
  const gpu = await shared;
  shared = null;
  gpu?.destroy();
}

/** A device on the GPU, and the default for new tensors, as `init` gives it. */
export async function openGpu({ tuning, limits }: Wanted = {}): Promise<Device> {
  const gpu = await sharedGpuDevice();
  const device = limits ? withLimits(gpu, { ...DEFAULTS, ...limits }) : gpu;
  return init({ device, ...(tuning ? { tuning } : {}) });
}

/** A device of one backend: the other one is for suites that run on both. */
export function openOn(backend: 'cpu' | 'webgpu', wanted?: Wanted): Promise<Device> {
  return backend === 'cpu' ? init({ backend }) : openGpu(wanted);
}

// What every device offers: to users (stats, record, prepare, …) and to the dispatcher (memory, execute).
import { memoryOf, type DeviceMemory } from './device-memory.ts';
import type { Bounds, DType, HostArray } from './dtype.ts';
import type { DeviceKernel, View } from './kernel.ts';
import type { Storage } from './storage.ts';
import type { GpuCommandEncoder, GpuDevice } from './host-types.ts';

/** Counts since `init()`, and the memory that is held now. Bytes are those that were allocated. */
export interface DeviceStats {
  /** Buffers (or host arrays) held by tensors. */
  liveBuffers: number;
  /** Bytes of these. */
  liveBytes: number;
  /** Buffers kept for reuse. */
  pooledBuffers: number;
  /** Bytes of these. */
  pooledBytes: number;
  /** Buffers ever created. */
  buffersCreated: number;
  /** Launches of kernels. */
  dispatches: number;
  /** Submits to the queue. */
  submits: number;
  /** Pipelines that were compiled. */
  pipelinesCompiled: number;
  /** Bind groups that were made. */
  bindGroupsCreated: number;
}

/** Why a GPU device was lost, as WebGPU says it. */
export interface DeviceLostDetails {
  /** `'destroyed'` by `dispose()` or `GPUDevice.destroy()`, else `'unknown'`. */
  readonly reason: string;
  /** In words of the browser. */
  readonly message: string;
}

/** The memory of a tensor, with what kernels have to know of it. */
export interface Operand extends View {
  readonly storage: Storage;
}

/** An op that `device.prepare` can warm up: runs it once on tiny tensors. */
export interface Preparable {
  readonly prepare: (device: Device, dtype: 'float32' | 'float16') => void;
}

/** Where tensors live and ops run. Made by `init()`. */
export abstract class Device {
  /** `'webgpu'` or `'cpu'`. */
  abstract readonly type: 'webgpu' | 'cpu';
  /** The adapter's description, for people. */
  abstract readonly name: string;
  /** The WebGPU device, or null on the CPU. */
  abstract readonly gpuDevice: GpuDevice | null;
  /** Resolves when the device is lost; never rejects. The CPU is never lost. */
  abstract readonly lost: Promise<DeviceLostDetails>;

  /** What was done since `init()`, and the memory that is held now. */
  abstract stats(): DeviceStats;

  /** The memory that tensors hold and that is kept for reuse: figures, and in words as text. */
  memory(): DeviceMemory {
    return memoryOf(this.stats());
  }

  /** Waits until all work so far is done. Throws errors of the GPU since the last read. */
  abstract synchronize(): Promise<void>;

  /**
   * Records the ops that `fn` calls into the caller's command encoder, which the caller submits. Ops that were called earlier
   * are submitted first. Results are available once the caller has submitted the encoder. `fn` must be synchronous.
   */
  abstract record<T>(encoder: GpuCommandEncoder, fn: () => T): T;

  /** Compiles the pipelines of `ops` in advance and in parallel, so that the first call of each op does not wait. */
  abstract prepare(
    ops: readonly Preparable[],
    options?: { dtype?: 'float32' | 'float16' },
  ): Promise<void>;

  /** Frees what the device holds. A `GPUDevice` that was passed to `init()` is left as it is; one that `init()` made is destroyed. */
  abstract dispose(): void;

  /** @internal Throws where the device is lost or disposed. */
  abstract check(op: string): void;
  /**
   * @internal All launches until `end` belong to one op, which is done completely or not at all. `keeps` is called if it was
   * not done because something that it needs had failed. What it would have written to is then unchanged.
   */
  begin(_op: string, _keeps?: (() => void) | null): void {
    // nothing to watch
  }
  /** @internal */
  end(): void {
    // nothing to watch
  }
  /** @internal Throws if no tensor can have so many bytes. It is called before the values are made on the host. */
  checkBytes(_op: string, _bytes: number): void {
    // as many as there is memory for
  }
  /** @internal Uninitialised memory. */
  abstract allocate(op: string, bytes: number): Storage;
  /** @internal */
  abstract upload(data: HostArray): Storage;
  /** @internal Smallest and largest element, where the host knows them. */
  bounds(storage: Storage, _dtype: DType, _size: number): Bounds | null {
    return storage.bounds;
  }
  /** @internal */
  abstract borrow(buffer: GPUBuffer, offset: number, bytes: number): Storage;
  /** @internal */
  abstract expose(
    storage: Storage,
    bytes: number,
  ): { buffer: GPUBuffer; offset: number; size: number };
  /** @internal */
  abstract read(storage: Storage, dtype: DType, size: number): Promise<Float32Array | Int32Array>;
  /** @internal The elements by index, where the host has them; null where they have to be waited for. */
  peek(_storage: Storage, _dtype: DType): ((index: number) => number) | null {
    return null;
  }
  /** @internal Whether the storage can be read and written in whole 16 bytes beyond `bytes`. */
  abstract isPadded(storage: Storage, bytes: number): boolean;
  /** @internal Tells memory that launches cannot write twice at once: storages in one buffer have the same. */
  memoryOf(storage: Storage): object {
    return storage;
  }
  /** @internal Whether two storages share memory. */
  abstract overlaps(a: Storage, b: Storage): boolean;
  /** @internal */
  abstract copy(op: string, from: Storage, to: Storage, bytes: number): void;
  /** @internal */
  abstract execute<A>(
    kernel: DeviceKernel<A>,
    args: A,
    inputs: readonly Operand[],
    outputs: readonly Operand[],
  ): void;
}

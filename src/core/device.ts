// What every device offers: to users (stats, record, prepare, …) and to the dispatcher (memory, execute).
import type { Bounds, DType, HostArray } from './dtype.ts';
import type { Kernel, View } from './kernel.ts';
import type { Storage } from './storage.ts';

/** Counters since `init()`, and what is held now. Bytes are as allocated. */
export interface DeviceStats {
  /** Buffers (or host arrays) held by tensors. */
  liveBuffers: number;
  liveBytes: number;
  /** Buffers kept for reuse. */
  pooledBuffers: number;
  pooledBytes: number;
  /** Buffers ever created. */
  buffersCreated: number;
  dispatches: number;
  submits: number;
  pipelinesCompiled: number;
  bindGroupsCreated: number;
}

export interface DeviceLostDetails {
  readonly reason: string;
  readonly message: string;
}

/** A tensor's memory with what kernels are told of it. */
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
  abstract readonly gpuDevice: GPUDevice | null;
  /** Resolves when the device is lost; never rejects. The CPU is never lost. */
  abstract readonly lost: Promise<DeviceLostDetails>;

  abstract stats(): DeviceStats;

  /** Waits until all work called for so far is done; throws what went wrong on the GPU since the last read. */
  abstract synchronize(): Promise<void>;

  /**
   * Puts the ops called inside `fn` into the caller's command encoder: nothing is submitted here. Work called for
   * earlier is submitted first. Results are there once the caller has submitted the encoder. `fn` is synchronous.
   */
  abstract record<T>(encoder: GPUCommandEncoder, fn: () => T): T;

  /** Compiles the pipelines of `ops` ahead, in parallel, so that their first call does not wait. */
  abstract prepare(
    ops: readonly Preparable[],
    options?: { dtype?: 'float32' | 'float16' },
  ): Promise<void>;

  /** Frees what the device holds. A `GPUDevice` passed to `init()` is left as it is; one made there is destroyed. */
  abstract dispose(): void;

  /** @internal Throws where the device is lost or disposed. */
  abstract check(op: string): void;
  /**
   * @internal What is called for up to `end` is of one op: it is done whole or not at all. `keeps` is told where it is not
   * done because something that it needs has failed; what it writes to is then what it was before.
   */
  begin(_op: string, _keeps?: () => void): void {
    // nothing to watch
  }
  /** @internal */
  end(): void {
    // nothing to watch
  }
  /** @internal Throws where no tensor can have as many bytes: asked before values for one are made on the host. */
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
  /** @internal Whether two storages share memory. */
  abstract overlaps(a: Storage, b: Storage): boolean;
  /** @internal */
  abstract copy(op: string, from: Storage, to: Storage, bytes: number): void;
  /** @internal */
  abstract execute<A>(
    kernel: Kernel<A>,
    args: A,
    inputs: readonly Operand[],
    outputs: readonly Operand[],
  ): void;
}

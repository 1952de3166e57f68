// The WebGPU device: allocates, runs kernels, reads results back, and reports faults at the next read.
import { called } from '../core/calling.ts';
import { capturing } from '../core/capturing.ts';
import {
  Device,
  type DeviceLostDetails,
  type DeviceStats,
  type Operand,
  type Preparable,
} from '../core/device.ts';
import { decode, type DType, type HostArray } from '../core/dtype.ts';
import { DeviceLostError, DisposedError, type NonlinError } from '../core/errors.ts';
import { capabilitiesOf, type DeviceKernel } from '../core/kernel.ts';
import { scope } from '../core/scope.ts';
import type { Storage } from '../core/storage.ts';
import { checkPrepare } from '../core/validate-options.ts';
import type { Tuning } from '../kernels/tuning.ts';
import { checkBorrowed } from './borrowed.ts';
import { BufferPool, unpooled, type PooledBuffer, type Watch } from './buffers.ts';
import { Faults } from './faults.ts';
import { Launcher } from './launcher.ts';
import { Layouts } from './layouts.ts';
import { PipelineCache } from './pipelines.ts';
import { withPlanners } from './planners.ts';
import { CommandQueue } from './queue.ts';
import { Readback } from './readback.ts';
import { asGpu, GpuStorage } from './storage.ts';
import { writeElements } from './upload.ts';
import { Waits } from './waiting.ts';

// GPUBufferUsage by value: the globals are missing in Node.
const MAP_READ = 0x01;
const COPY_SRC = 0x04;
const COPY_DST = 0x08;
const STORAGE = 0x80;

const POOL_BYTES = 512 * 2 ** 20;
const STAGING_BYTES = 32 * 2 ** 20;
/** The largest upload whose values the host keeps in order to check them later: 256 KiB. */
const MOST_KEPT = 65_536;
const NO_WAIT = 'no wait in a captured step';

export class WebGpuDevice extends Device {
  override readonly type = 'webgpu';
  override readonly name: string;
  override readonly gpuDevice: GPUDevice;
  override readonly lost: Promise<DeviceLostDetails>;
  readonly #owned: boolean;
  readonly #offsetAlignment: number;
  readonly #faults: Faults;
  readonly #layouts: Layouts;
  readonly #pipelines: PipelineCache;
  readonly #queue: CommandQueue;
  readonly #pool: BufferPool;
  readonly #stagingPool: BufferPool;
  readonly #readback: Readback;
  readonly #launcher: Launcher;
  /** One handle per caller's buffer, so that overlapping tensors are recognised. */
  readonly #borrowed = new WeakMap<GPUBuffer, PooledBuffer>();
  /** Number of calls of `begin` that have not ended. */
  #depth = 0;
  /** The error because of which the device can no longer be used. */
  #closed: NonlinError | null = null;
  readonly #waits: Waits;
  readonly #release = (freed: PooledBuffer): void => {
    this.#pool.release(freed);
  };

  constructor(gpuDevice: GPUDevice, options: { name: string; tuning: Tuning; owned: boolean }) {
    super();
    this.gpuDevice = gpuDevice;
    this.name = options.name;
    this.#owned = options.owned;
    const { limits } = gpuDevice;
    this.#offsetAlignment = limits.minStorageBufferOffsetAlignment;
    const faults = new Faults(gpuDevice, () => {
      this.#pool.clear();
      this.#stagingPool.clear();
    });
    this.#faults = faults;
    this.#waits = new Waits(gpuDevice);
    const watch: Watch = (op, call) => faults.watch(op, call);
    const layouts = new Layouts(gpuDevice);
    const pipelines = new PipelineCache(
      gpuDevice,
      layouts,
      watch,
      options.tuning.hoistArrayLengths,
    );
    const queue = new CommandQueue({ device: gpuDevice, faults, layouts, pipelines });
    const makePool = (label: string, usage: number, bound: number): BufferPool =>
      new BufferPool(gpuDevice, { label, usage, bound }, watch, (buffer) => {
        layouts.clear();
        queue.destroyLater(buffer);
      });
    const pool = makePool('nonlin tensor', STORAGE | COPY_SRC | COPY_DST, POOL_BYTES);
    this.#stagingPool = makePool('nonlin readback', MAP_READ | COPY_DST, STAGING_BYTES);
    this.#readback = new Readback(gpuDevice, queue, this.#stagingPool, faults);
    this.#launcher = new Launcher({
      device: gpuDevice,
      capabilities: withPlanners(capabilitiesOf(limits, options.tuning)),
      layouts,
      pipelines,
      queue,
      faults,
      pool,
      readback: this.#readback,
    });
    this.#layouts = layouts;
    this.#pipelines = pipelines;
    this.#queue = queue;
    this.#pool = pool;
    this.lost = gpuDevice.lost.then(({ reason, message }) => ({
      reason,
      message,
    }));
    void this.lost.then(({ reason, message }) => {
      this.#closed ??= new DeviceLostError({
        op: 'device',
        expected: 'a live GPU device',
        received: `a lost one (${reason}${message === '' ? '' : `: ${message}`})`,
        hint: 'call init() for a new one',
      });
      this.#waits.end(this.#closed);
    });
  }

  override stats(): DeviceStats {
    const { liveBuffers, liveBytes, pooledBuffers, pooledBytes, buffersCreated } = this.#pool.stats;
    return {
      liveBuffers,
      liveBytes,
      pooledBuffers: pooledBuffers + this.#stagingPool.stats.pooledBuffers,
      pooledBytes: pooledBytes + this.#stagingPool.stats.pooledBytes,
      buffersCreated: buffersCreated + this.#stagingPool.stats.buffersCreated,
      ...this.#queue.counts,
      pipelinesCompiled: this.#pipelines.compiled,
      bindGroupsCreated: this.#layouts.bindGroupsCreated,
    };
  }

  override check(op: string): void {
    if (this.#closed) {
      const Closed = this.#closed instanceof DeviceLostError ? DeviceLostError : DisposedError;
      throw new Closed({
        op,
        argument: 'device',
        expected: this.#closed.expected ?? '',
        received: this.#closed.received ?? '',
      });
    }
  }

  override async synchronize(): Promise<void> {
    capturing()?.refuse('synchronize', NO_WAIT);
    await this.#guard('synchronize', async () => {
      await this.#queue.flush();
      await this.gpuDevice.queue.onSubmittedWorkDone();
      await this.#readback.read(null, 0);
      await this.#faults.heard();
      this.#faults.throwUnread();
    });
  }

  override record<T>(encoder: GPUCommandEncoder, fn: () => T): T {
    this.check('device.record');
    capturing()?.refuse('device.record', 'no encoder within a captured step');
    return this.#launcher.record(encoder, fn);
  }

  /** @internal What a captured step works with. */
  get launcher(): Launcher {
    return this.#launcher;
  }

  override async prepare(
    ops: readonly Preparable[],
    options: { dtype?: 'float32' | 'float16' } = {},
  ): Promise<void> {
    this.check('device.prepare');
    capturing()?.refuse('device.prepare', NO_WAIT);
    checkPrepare(ops, options);
    const { dtype = 'float32' } = options;
    const entries = this.#launcher.collectPipelines(() => {
      scope(() => {
        for (const op of ops) op.prepare(this, dtype);
      });
    });
    await this.#guard('device.prepare', () => Promise.all(entries.map((entry) => entry.ready)));
    for (const { error } of entries) if (error) throw error;
  }

  override dispose(): void {
    if (this.#closed) return;
    this.#closed = new DisposedError({
      op: 'device',
      expected: 'a live device',
      received: 'a disposed one',
    });
    void this.#queue.flush();
    this.#pool.clear();
    this.#stagingPool.clear();
    this.#layouts.clear();
    if (this.#owned) {
      this.gpuDevice.destroy();
    } else {
      this.#queue.destroyLater(this.#readback.status);
      this.#queue.destroyLater(this.#queue.uniforms);
      void this.#queue.flush();
    }
  }

  override begin(op: string, keeps: (() => void) | null = null): void {
    if (this.#depth++ > 0) return;
    this.#queue.beginOp(op, keeps);
    this.#faults.begin();
  }

  override end(): void {
    if (--this.#depth > 0) return;
    this.#faults.end();
    this.#queue.endOp();
  }

  override checkBytes(op: string, bytes: number): void {
    this.#pool.checkBytes(op, bytes);
  }

  override allocate(op: string, bytes: number): GpuStorage {
    return this.#own(this.#acquire(op, bytes));
  }

  override upload(data: HostArray): GpuStorage {
    this.check('tensor');
    this.#faults.begin();
    let buffer: PooledBuffer;
    try {
      // `writeBuffer` takes effect before the commands that still wait, so it needs a buffer that none of them uses.
      buffer = this.#acquire(called() ?? 'tensor', data.byteLength, this.#queue.pendingFrom);
      writeElements(this.gpuDevice.queue, this.#faults, buffer, data);
    } finally {
      this.#faults.end();
    }
    this.#launcher.tap?.uploaded(buffer, data);
    const storage = this.#own(buffer);
    if (data instanceof Int32Array) storage.host = data;
    else if (data.length <= MOST_KEPT) storage.given = data;
    return storage;
  }

  override borrow(gpu: GPUBuffer, offset: number, bytes: number): GpuStorage {
    this.check('Tensor.fromBuffer');
    checkBorrowed(gpu, offset, bytes, this.#offsetAlignment);
    let buffer = this.#borrowed.get(gpu);
    if (!buffer) {
      buffer = unpooled(gpu);
      buffer.foreign = true;
      this.#borrowed.set(gpu, buffer);
    }
    return new GpuStorage(this, buffer, offset, true, () => undefined);
  }

  override expose(
    storage: Storage,
    bytes: number,
  ): { buffer: GPUBuffer; offset: number; size: number } {
    this.check('buffer');
    this.#queue.flushSync();
    const { buffer, offset } = asGpu(storage);
    // The caller may write to it, or use it in commands that are submitted after the tensor is disposed.
    storage.forget();
    buffer.pinned = buffer.foreign = true;
    return { buffer: buffer.gpu, offset, size: bytes };
  }

  override async read(
    storage: Storage,
    dtype: DType,
    size: number,
  ): Promise<Float32Array | Int32Array> {
    storage.retain();
    try {
      return await this.#guard('data', async () => {
        const bytes = Math.ceil((size * (dtype === 'float16' ? 2 : 4)) / 4) * 4;
        const data = await this.#readback.read(asGpu(storage), bytes);
        return decode(dtype, data, 0, size);
      });
    } finally {
      storage.release();
    }
  }

  override isPadded(storage: Storage, bytes: number): boolean {
    // A caller's buffer may contain other data directly after the tensor.
    return !asGpu(storage).borrowed || (bytes > 0 && bytes % 16 === 0);
  }

  override memoryOf(storage: Storage): object {
    return asGpu(storage).buffer;
  }

  override overlaps(a: Storage, b: Storage): boolean {
    // WebGPU forbids reading and writing one buffer in one dispatch, even in disjoint ranges.
    return asGpu(a).buffer === asGpu(b).buffer;
  }

  override copy(op: string, from: Storage, to: Storage, bytes: number): void {
    this.check(op);
    const [source, destination] = [asGpu(from), asGpu(to)];
    this.#launcher.copy({
      from: source.buffer,
      fromOffset: source.offset,
      to: destination.buffer,
      toOffset: destination.offset,
      bytes: Math.ceil(bytes / 4) * 4,
    });
  }

  override execute<A>(
    kernel: DeviceKernel<A>,
    args: A,
    inputs: readonly Operand[],
    outputs: readonly Operand[],
  ): void {
    this.#launcher.execute(kernel, args, inputs, outputs);
  }

  #own(buffer: PooledBuffer): GpuStorage {
    return new GpuStorage(this, buffer, 0, false, this.#release);
  }

  #acquire(op: string, bytes: number, busyFrom?: number): PooledBuffer {
    this.check(op);
    return this.#pool.acquire(op, bytes, busyFrom);
  }

  /** Runs a wait. If the device is lost or disposed, it ends early with a typed error. */
  async #guard<T>(op: string, wait: () => Promise<T>): Promise<T> {
    this.check(op);
    try {
      return await this.#waits.until(wait);
    } catch (error) {
      this.check(op);
      throw error;
    }
  }
}

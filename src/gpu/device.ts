// In: a GPUDevice, kernels and storages. Out: launches in the queue, results read back, faults reported at the next read.
import { Device, type DeviceLostDetails, type DeviceStats, type Operand, type Preparable } from '../device.ts';
import { decode, type DType, type HostArray } from '../dtype.ts';
import {
  DeviceLostError,
  DisposedError,
  IndexOutOfRangeError,
  NonlinError,
  OptionError,
  OutOfMemoryError,
  ShaderError,
  ShapeError,
} from '../errors.ts';
import { UNIFORM_BYTES, type Capabilities, type Kernel, type Launch } from '../kernel.ts';
import { scope } from '../scope.ts';
import { Storage } from '../storage.ts';
import { BufferPool, unpooled, type PooledBuffer } from './buffers.ts';
import { Layouts, type Resource } from './layouts.ts';
import { PipelineCache, type PipelineEntry } from './pipelines.ts';
import { CommandQueue, encode, type Command } from './queue.ts';
import { STATUS_BYTES, statusError } from './status.ts';

// GPUBufferUsage and GPUMapMode by value: the globals are missing in Node.
const MAP_READ = 0x01;
const COPY_SRC = 0x04;
const COPY_DST = 0x08;
const UNIFORM = 0x40;
const STORAGE = 0x80;

const POOL_BYTES = 512 * 2 ** 20;
const READBACK_POOL_BYTES = 32 * 2 ** 20;

class GpuStorage extends Storage {
  readonly buffer: PooledBuffer;
  readonly offset: number;
  readonly borrowed: boolean;
  readonly #free: (buffer: PooledBuffer) => void;

  constructor(
    device: Device,
    buffer: PooledBuffer,
    offset: number,
    borrowed: boolean,
    free: (buffer: PooledBuffer) => void,
  ) {
    super(device);
    this.buffer = buffer;
    this.offset = offset;
    this.borrowed = borrowed;
    this.#free = free;
  }

  protected override free(): void {
    if (!this.borrowed) this.#free(this.buffer);
  }
}

/** A launch put into a caller's encoder; bind groups are made when all uniforms are known. */
interface Recorded {
  readonly launch: Launch;
  readonly resources: readonly Resource[];
}

export class WebGpuDevice extends Device {
  override readonly type = 'webgpu';
  override readonly name: string;
  override readonly gpuDevice: GPUDevice;
  override readonly lost: Promise<DeviceLostDetails>;
  readonly #owned: boolean;
  readonly #capabilities: Capabilities;
  readonly #layouts: Layouts;
  readonly #pipelines: PipelineCache;
  readonly #queue: CommandQueue;
  readonly #pool: BufferPool;
  readonly #readback: BufferPool;
  readonly #status: PooledBuffer;
  readonly #borrowed = new WeakMap<GPUBuffer, PooledBuffer>();
  /** Error scopes not yet popped. */
  readonly #checks = new Set<Promise<void>>();
  #statusUsed = false;
  #fault: NonlinError | null = null;
  #closed: NonlinError | null = null;
  readonly #whenLost: Promise<never>;
  #recording: (Recorded | Command)[] | null = null;
  #preparing: PipelineEntry[] | null = null;

  constructor(gpuDevice: GPUDevice, options: { name: string; software: boolean; owned: boolean }) {
    super();
    this.gpuDevice = gpuDevice;
    this.name = options.name;
    this.#owned = options.owned;
    const { limits } = gpuDevice;
    this.#capabilities = {
      maxBindingSize: limits.maxStorageBufferBindingSize,
      maxWorkgroups: limits.maxComputeWorkgroupsPerDimension,
      offsetAlignment: limits.minStorageBufferOffsetAlignment,
      software: options.software,
    };
    const destroy = (buffer: PooledBuffer): void => {
      this.#layouts.clear();
      this.#queue.destroyLater(buffer);
    };
    const watch = <T>(op: string, call: () => T): T => this.#watch(op, call);
    this.#layouts = new Layouts(gpuDevice);
    this.#pipelines = new PipelineCache(gpuDevice, this.#layouts);
    this.#queue = new CommandQueue(
      gpuDevice,
      (submit) => {
        watch('submit', submit);
      },
      (entry) => {
        this.#fault ??= entry.error;
      },
    );
    const usage = STORAGE | COPY_SRC | COPY_DST;
    const pool = (label: string, poolUsage: number, bound: number): BufferPool =>
      new BufferPool(gpuDevice, { label, usage: poolUsage, bound }, watch, destroy);
    this.#pool = pool('nonlin tensor', usage, POOL_BYTES);
    this.#readback = pool('nonlin readback', MAP_READ | COPY_DST, READBACK_POOL_BYTES);
    this.#status = unpooled(gpuDevice.createBuffer({ size: STATUS_BYTES, usage, label: 'nonlin status' }));
    this.lost = gpuDevice.lost.then(({ reason, message }) => ({ reason: reason ?? 'unknown', message }));
    this.#whenLost = this.lost.then(({ reason, message }) => {
      this.#closed ??= new DeviceLostError({
        op: 'device',
        expected: 'a live GPU device',
        received: `a lost one (${reason}${message === '' ? '' : `: ${message}`})`,
        hint: 'call init() for a new one',
      });
      throw this.#closed;
    });
    this.#whenLost.catch(() => undefined);
  }

  override stats(): DeviceStats {
    const { liveBuffers, liveBytes, pooledBuffers, pooledBytes, buffersCreated } = this.#pool.stats;
    return {
      liveBuffers,
      liveBytes,
      pooledBuffers: pooledBuffers + this.#readback.stats.pooledBuffers,
      pooledBytes: pooledBytes + this.#readback.stats.pooledBytes,
      buffersCreated: buffersCreated + this.#readback.stats.buffersCreated,
      dispatches: this.#queue.dispatches,
      submits: this.#queue.submits,
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
    await this.#guard('synchronize', async () => {
      await this.#queue.flush();
      await this.gpuDevice.queue.onSubmittedWorkDone();
      await this.#readBytes(null, 0);
    });
  }

  override record<T>(encoder: GPUCommandEncoder, fn: () => T): T {
    this.check('device.record');
    if (this.#recording) {
      throw new OptionError({ op: 'device.record', argument: 'fn', expected: 'no nested record', received: 'one' });
    }
    this.#queue.flushSync((entry) => {
      this.#pipelines.compileNow(entry);
    });
    const recorded: (Recorded | Command)[] = [];
    this.#recording = recorded;
    let result: T;
    try {
      result = fn();
      if (result instanceof Promise) {
        throw new OptionError({
          op: 'device.record',
          argument: 'fn',
          expected: 'a synchronous function',
          received: 'one that returns a promise',
        });
      }
    } finally {
      this.#recording = null;
    }
    this.#encodeRecorded(encoder, recorded);
    return result;
  }

  #encodeRecorded(encoder: GPUCommandEncoder, recorded: readonly (Recorded | Command)[]): void {
    if (recorded.length === 0) return;
    // Not pooled and never destroyed here: the caller submits at a time of their own; the browser frees it after that.
    const uniforms = unpooled(
      this.gpuDevice.createBuffer({ size: recorded.length * UNIFORM_BYTES, usage: UNIFORM, mappedAtCreation: true }),
    );
    const bytes = new Uint8Array(uniforms.gpu.getMappedRange());
    const commands = recorded.map((item, i): Command => {
      if (!('launch' in item)) return item;
      const { launch, resources } = item;
      bytes.set(new Uint8Array(launch.uniforms), i * UNIFORM_BYTES);
      return {
        pipeline: this.#pipelines.compileNow(this.#pipelines.get(launch, false)),
        group: this.#layouts.createGroup(uniforms, resources),
        uniformOffset: i * UNIFORM_BYTES,
        workgroups: launch.workgroups,
      };
    });
    uniforms.gpu.unmap();
    this.#queue.dispatches += encode(encoder, commands);
  }

  override async prepare(
    ops: readonly Preparable[],
    { dtype = 'float32' }: { dtype?: 'float32' | 'float16' } = {},
  ): Promise<void> {
    this.check('device.prepare');
    const entries: PipelineEntry[] = [];
    this.#preparing = entries;
    try {
      scope(() => {
        for (const op of ops) op.prepare(this, dtype);
      });
    } finally {
      this.#preparing = null;
    }
    await this.#guard('device.prepare', () => Promise.all(entries.map((entry) => entry.ready)));
    for (const { error } of entries) if (error) throw error;
  }

  override dispose(): void {
    if (this.#closed) return;
    this.#closed = new DisposedError({ op: 'device', expected: 'a live device', received: 'a disposed one' });
    void this.#queue.flush();
    this.#pool.clear();
    this.#readback.clear();
    this.#layouts.clear();
    if (this.#owned) {
      this.gpuDevice.destroy();
    } else {
      this.#queue.destroyLater(this.#status);
      this.#queue.destroyLater(this.#queue.uniforms);
      void this.#queue.flush();
    }
  }

  override allocate(op: string, bytes: number): GpuStorage {
    return this.#own(this.#acquire(op, bytes));
  }

  override upload(data: HostArray): GpuStorage {
    this.check('tensor');
    // Written ahead of the commands still waiting, so into a buffer that none of them uses.
    const buffer = this.#acquire('tensor', data.byteLength, this.#queue.pendingFrom);
    const whole = data.byteLength - (data.byteLength % 4);
    const { queue } = this.gpuDevice;
    queue.writeBuffer(buffer.gpu, 0, data.buffer, data.byteOffset, whole);
    if (whole < data.byteLength && data instanceof Uint16Array) {
      queue.writeBuffer(buffer.gpu, whole, new Uint16Array([data.at(-1) ?? 0, 0]));
    }
    const storage = this.#own(buffer);
    if (data instanceof Int32Array) storage.host = data;
    return storage;
  }

  override borrow(gpu: GPUBuffer, offset: number, bytes: number): GpuStorage {
    this.check('Tensor.fromBuffer');
    const alignment = this.#capabilities.offsetAlignment;
    if (!Number.isInteger(offset) || offset < 0 || offset % alignment !== 0) {
      throw new OptionError({
        op: 'Tensor.fromBuffer',
        argument: 'offset',
        expected: `a multiple of ${String(alignment)}`,
        received: String(offset),
      });
    }
    const needed = offset + Math.ceil(bytes / 4) * 4;
    if (gpu.size < needed) {
      throw new ShapeError({
        op: 'Tensor.fromBuffer',
        argument: 'buffer',
        expected: `at least ${String(needed)} bytes`,
        received: `${String(gpu.size)} bytes`,
      });
    }
    if ((gpu.usage & STORAGE) === 0) {
      throw new OptionError({
        op: 'Tensor.fromBuffer',
        argument: 'buffer',
        expected: 'usage STORAGE',
        received: `usage 0x${gpu.usage.toString(16)}`,
      });
    }
    let buffer = this.#borrowed.get(gpu);
    if (!buffer) this.#borrowed.set(gpu, (buffer = unpooled(gpu)));
    return new GpuStorage(this, buffer, offset, true, () => undefined);
  }

  override expose(storage: Storage, bytes: number): { buffer: GPUBuffer; offset: number; size: number } {
    this.check('buffer');
    this.#queue.flushSync((entry) => {
      this.#pipelines.compileNow(entry);
    });
    const { buffer, offset } = asGpu(storage);
    // The caller may write to it, or use it in commands submitted after the tensor is gone.
    storage.host = null;
    buffer.pinned = true;
    return { buffer: buffer.gpu, offset, size: bytes };
  }

  override async read(storage: Storage, dtype: DType, size: number): Promise<Float32Array | Int32Array> {
    storage.retain();
    try {
      return await this.#guard('data', async () => {
        const bytes = Math.ceil((size * (dtype === 'float16' ? 2 : 4)) / 4) * 4;
        const data = await this.#readBytes(asGpu(storage), bytes);
        return decode(dtype, data, 0, size);
      });
    } finally {
      storage.release();
    }
  }

  override isPadded(storage: Storage, bytes: number): boolean {
    // A caller's buffer may hold something else right behind the tensor.
    return !asGpu(storage).borrowed || bytes % 16 === 0;
  }

  override overlaps(a: Storage, b: Storage): boolean {
    // WebGPU forbids reading and writing one buffer in one dispatch, even in disjoint ranges.
    return asGpu(a).buffer === asGpu(b).buffer;
  }

  override copy(op: string, from: Storage, to: Storage, bytes: number): void {
    this.check(op);
    const [source, destination] = [asGpu(from), asGpu(to)];
    this.#touch(source.buffer);
    this.#touch(destination.buffer);
    this.#add({
      from: source.buffer,
      fromOffset: source.offset,
      to: destination.buffer,
      toOffset: destination.offset,
      bytes: Math.ceil(bytes / 4) * 4,
    });
  }

  override execute<A>(kernel: Kernel<A>, args: A, inputs: readonly Operand[], outputs: readonly Operand[]): void {
    const plan = kernel.plan(args, inputs, outputs, this.#capabilities);
    for (const { bindings } of plan.launches) {
      for (const { of, index, size } of bindings) {
        const operand = of === 'input' ? inputs[index] : of === 'output' ? outputs[index] : undefined;
        const bytes = size ?? (operand ? boundBytes(operand) : (plan.scratch[index] ?? 0));
        if (bytes > this.#capabilities.maxBindingSize) {
          throw new OutOfMemoryError({
            op: kernel.name,
            expected: `at most ${String(this.#capabilities.maxBindingSize)} bytes per binding on this device`,
            received: `${String(bytes)} bytes`,
          });
        }
      }
    }
    const scratch = plan.scratch.map((bytes) => this.#acquire(kernel.name, bytes));
    for (const launch of plan.launches) {
      const resources = launch.bindings.map((binding): Resource => {
        const { of, index, offset = 0, size } = binding;
        if (of === 'status') {
          this.#statusUsed = true;
          return { binding, buffer: this.#status, offset: 0, size: STATUS_BYTES };
        }
        if (of === 'scratch') {
          const buffer = at(scratch, index);
          this.#touch(buffer);
          return { binding, buffer, offset, size: size ?? buffer.size };
        }
        const operand = at(of === 'input' ? inputs : outputs, index);
        const storage = asGpu(operand.storage);
        this.#touch(storage.buffer);
        return { binding, buffer: storage.buffer, offset: storage.offset + offset, size: size ?? boundBytes(operand) };
      });
      this.#launch(launch, resources);
    }
    for (const buffer of scratch) this.#pool.release(buffer);
  }

  #launch(launch: Launch, resources: readonly Resource[]): void {
    if (this.#recording) {
      this.#recording.push({ launch, resources });
      return;
    }
    const pipeline = this.#pipelines.get(launch);
    if (this.#preparing) {
      this.#preparing.push(pipeline);
      return;
    }
    const uniformOffset = this.#queue.addUniforms(launch.uniforms);
    const group = this.#layouts.bindGroup(this.#queue.uniforms, resources);
    for (const { buffer } of resources) buffer.lastUse = this.#queue.current;
    this.#queue.add({ pipeline, group, uniformOffset, workgroups: launch.workgroups });
  }

  #add(command: Command): void {
    if (this.#recording) this.#recording.push(command);
    else if (!this.#preparing) this.#queue.add(command);
  }

  /** Notes that the commands now being collected use a buffer. */
  #touch(buffer: PooledBuffer): void {
    buffer.lastUse = this.#queue.current;
    if (this.#recording) buffer.pinned = true;
  }

  #own(buffer: PooledBuffer): GpuStorage {
    return new GpuStorage(this, buffer, 0, false, (freed) => {
      this.#pool.release(freed);
    });
  }

  #acquire(op: string, bytes: number, busyFrom?: number): PooledBuffer {
    this.check(op);
    return this.#pool.acquire(op, bytes, busyFrom);
  }

  /** Bytes of a storage, after everything called for so far; then the status word. Throws what went wrong. */
  async #readBytes(storage: GpuStorage | null, bytes: number): Promise<ArrayBuffer> {
    const status = this.#statusUsed;
    this.#statusUsed = false;
    const staging = this.#readback.acquire('data', bytes + STATUS_BYTES);
    staging.lastUse = this.#queue.current;
    if (storage) {
      this.#touch(storage.buffer);
      this.#queue.add({
        from: storage.buffer,
        fromOffset: storage.offset,
        to: staging,
        toOffset: 0,
        bytes,
      });
    }
    if (status) {
      this.#queue.add({ from: this.#status, fromOffset: 0, to: staging, toOffset: bytes, bytes: STATUS_BYTES });
    }
    await this.#queue.flush();
    let data = new ArrayBuffer(0);
    let error: NonlinError | null = null;
    if (storage || status) {
      await staging.gpu.mapAsync(MAP_READ, 0, bytes + STATUS_BYTES).catch(async (cause: unknown) => {
        await this.#settle();
        throw new ShaderError({ op: 'data', expected: 'a readable result', received: String(cause) }, { cause });
      });
      const mapped = staging.gpu.getMappedRange(0, bytes + STATUS_BYTES);
      data = mapped.slice(0, bytes);
      if (status) error = statusError(mapped.slice(bytes));
      staging.gpu.unmap();
    }
    this.#readback.release(staging);
    if (error) this.gpuDevice.queue.writeBuffer(this.#status.gpu, 0, new Uint32Array(STATUS_BYTES / 4));
    await this.#settle();
    if (error instanceof IndexOutOfRangeError) throw error;
    return data;
  }

  /** Waits for the error scopes popped so far and throws the first fault, once. */
  async #settle(): Promise<void> {
    await Promise.all(this.#checks);
    const fault = this.#fault;
    this.#fault = null;
    if (fault) throw fault;
  }

  /** Runs a wait that ends early, with a typed error, when the device is lost or disposed. */
  async #guard<T>(op: string, wait: () => Promise<T>): Promise<T> {
    this.check(op);
    try {
      return await Promise.race([wait(), this.#whenLost]);
    } catch (error) {
      this.check(op);
      throw error;
    }
  }

  /** Runs WebGPU calls under error scopes; what they report is thrown at the next read. */
  #watch<T>(op: string, call: () => T): T {
    const scopes = ['validation', 'out-of-memory', 'internal'] as const;
    for (const filter of scopes) this.gpuDevice.pushErrorScope(filter);
    try {
      return call();
    } finally {
      for (const filter of scopes.toReversed()) {
        const check = this.gpuDevice.popErrorScope().then(
          (error) => {
            this.#checks.delete(check);
            if (!error) return;
            const Fault = filter === 'out-of-memory' ? OutOfMemoryError : ShaderError;
            this.#fault ??= new Fault({ op, expected: 'commands the GPU accepts', received: error.message });
          },
          () => {
            this.#checks.delete(check);
          },
        );
        this.#checks.add(check);
      }
    }
  }
}

function asGpu(storage: Storage): GpuStorage {
  return storage as GpuStorage;
}

function boundBytes({ dtype, size, padded }: Operand): number {
  const bytes = size * (dtype === 'float16' ? 2 : 4);
  // An empty tensor still needs a binding of one element.
  return padded ? Math.max(Math.ceil(bytes / 16), 1) * 16 : Math.max(Math.ceil(bytes / 4), 1) * 4;
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new RangeError(`no operand ${String(index)}`);
  return item;
}

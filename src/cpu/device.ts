// In: kernels and typed arrays. Out: their results, computed at once in float64 and rounded on being stored.
import {
  Device,
  type DeviceLostDetails,
  type DeviceStats,
  type Operand,
  type Preparable,
} from '../device.ts';
import {
  boundsOf,
  decode,
  fromHalf,
  toHalf,
  type Bounds,
  type DType,
  type HostArray,
  type NumericArray,
} from '../dtype.ts';
import { DeviceUnavailableError, DisposedError } from '../errors.ts';
import type { Kernel } from '../kernel.ts';
import type { Shape } from '../shape.ts';
import { Storage } from '../storage.ts';
import { checkPrepare } from '../validate-options.ts';

class CpuStorage extends Storage {
  readonly bytes: ArrayBuffer;
  readonly #device: CpuDevice;

  constructor(device: CpuDevice, bytes: ArrayBuffer) {
    super(device);
    this.#device = device;
    this.bytes = bytes;
    device.counts.liveBuffers++;
    device.counts.liveBytes += bytes.byteLength;
  }

  protected override free(): void {
    this.#device.counts.liveBuffers--;
    this.#device.counts.liveBytes -= this.bytes.byteLength;
    this.#device.recycle(this.bytes);
  }
}

/** Most bytes kept for reuse: new ones are cleared and, if many, brought in page by page, which takes longer than a short op. */
const POOL_BYTES = 128 * 2 ** 20;

/** The reference and the fallback: works everywhere. */
export class CpuDevice extends Device {
  override readonly type = 'cpu';
  override readonly name = 'CPU (float64 loops)';
  override readonly gpuDevice = null;
  override readonly lost = new Promise<DeviceLostDetails>(() => undefined);
  /** @internal */
  readonly counts: DeviceStats = {
    liveBuffers: 0,
    liveBytes: 0,
    pooledBuffers: 0,
    pooledBytes: 0,
    buffersCreated: 0,
    dispatches: 0,
    submits: 0,
    pipelinesCompiled: 0,
    bindGroupsCreated: 0,
  };
  readonly #free = new Map<number, ArrayBuffer[]>();
  #disposed = false;

  override stats(): DeviceStats {
    return { ...this.counts };
  }

  override async synchronize(): Promise<void> {
    await Promise.resolve();
    this.check('synchronize');
  }

  override record(): never {
    throw noGpu('device.record', 'encoder');
  }

  override async prepare(ops: readonly Preparable[], options: object = {}): Promise<void> {
    await Promise.resolve();
    this.check('device.prepare');
    checkPrepare(ops, options);
  }

  override dispose(): void {
    this.#disposed = true;
    this.#free.clear();
    this.counts.pooledBuffers = 0;
    this.counts.pooledBytes = 0;
  }

  override check(op: string): void {
    if (this.#disposed) {
      throw new DisposedError({
        op,
        argument: 'device',
        expected: 'a live device',
        received: 'a disposed one',
      });
    }
  }

  override allocate(_op: string, bytes: number): CpuStorage {
    const free = this.#free.get(bytes)?.pop();
    if (!free) {
      this.counts.buffersCreated++;
      return new CpuStorage(this, new ArrayBuffer(bytes));
    }
    this.counts.pooledBuffers--;
    this.counts.pooledBytes -= bytes;
    return new CpuStorage(this, free);
  }

  /** @internal Takes memory back. */
  recycle(bytes: ArrayBuffer): void {
    const size = bytes.byteLength;
    if (this.#disposed || this.counts.pooledBytes + size > POOL_BYTES) return;
    this.counts.pooledBuffers++;
    this.counts.pooledBytes += size;
    const list = this.#free.get(size);
    if (list) list.push(bytes);
    else this.#free.set(size, [bytes]);
  }

  override upload(data: HostArray): CpuStorage {
    this.check('tensor');
    this.counts.buffersCreated++;
    const storage = new CpuStorage(this, data.slice().buffer);
    if (data instanceof Int32Array) storage.host = data;
    return storage;
  }

  override bounds(storage: Storage, dtype: DType, size: number): Bounds {
    return boundsOf(decode(dtype, bytesOf(storage), 0, size));
  }

  override borrow(): never {
    throw noGpu('Tensor.fromBuffer', 'buffer');
  }

  override expose(): never {
    throw noGpu('buffer', 'tensor');
  }

  override async read(
    storage: Storage,
    dtype: DType,
    size: number,
  ): Promise<Float32Array | Int32Array> {
    // Now, as the tensor may be disposed of, and its memory written to, before the promise is settled.
    const bytes = bytesOf(storage).slice(0);
    await Promise.resolve();
    this.check('data');
    return decode(dtype, bytes, 0, size);
  }

  override isPadded(): boolean {
    return true;
  }

  override overlaps(a: Storage, b: Storage): boolean {
    return a === b;
  }

  override copy(_op: string, from: Storage, to: Storage, bytes: number): void {
    new Uint8Array(bytesOf(to)).set(new Uint8Array(bytesOf(from), 0, bytes));
  }

  override execute<A>(
    kernel: Kernel<A>,
    args: A,
    inputs: readonly Operand[],
    outputs: readonly Operand[],
  ): void {
    const results: NumericArray[] = [];
    for (const output of outputs) results.push(target(output));
    const values: NumericArray[] = [];
    const shapes: Shape[] = [];
    for (const { storage, dtype, size, shape } of inputs) {
      values.push(decode(dtype, bytesOf(storage), 0, size));
      shapes.push(shape);
    }
    kernel.cpu(args, values, results, shapes);
    for (let k = 0; k < outputs.length; k++) {
      const [output, result] = [outputs[k], results[k]];
      if (output?.dtype !== 'float16' || !result) continue;
      const bits = new Uint16Array(bytesOf(output.storage), 0, output.size);
      for (let i = 0; i < bits.length; i++) bits[i] = toHalf(result[i] ?? NaN);
    }
    this.counts.dispatches++;
  }
}

/** What a CPU kernel writes into: the storage itself, or float64 on the way to float16, so as to round only once. */
function target({ storage, dtype, size }: Operand): NumericArray {
  const bytes = bytesOf(storage);
  if (dtype === 'float16') return Float64Array.from(new Uint16Array(bytes, 0, size), fromHalf);
  return dtype === 'int32' ? new Int32Array(bytes, 0, size) : new Float32Array(bytes, 0, size);
}

function bytesOf(storage: Storage): ArrayBuffer {
  if (!(storage instanceof CpuStorage)) throw new TypeError('not memory of the CPU device');
  return storage.bytes;
}

function noGpu(op: string, argument: string): DeviceUnavailableError {
  return new DeviceUnavailableError({
    op,
    argument,
    expected: 'a webgpu device',
    received: 'the CPU device',
  });
}

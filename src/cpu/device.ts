// The CPU device: runs the reference loop of each kernel at once, in float64, and rounds when it stores.
import {
  Device,
  type DeviceLostDetails,
  type DeviceStats,
  type Operand,
  type Preparable,
} from '../core/device.ts';
import { capturing } from '../core/capturing.ts';
import { at } from './rows.ts';
import {
  boundsOf,
  BYTES,
  decode,
  fromHalf,
  toHalf,
  type Bounds,
  type DType,
  type HostArray,
  type NumericArray,
} from '../core/dtype.ts';
import { DeviceUnavailableError, DisposedError } from '../core/errors.ts';
import { opName, type DeviceKernel } from '../core/kernel.ts';
import type { Shape } from '../core/shape.ts';
import { allocating, memoryError } from '../core/memory.ts';
import { nextTask } from '../core/next-task.ts';
import type { Storage } from '../core/storage.ts';
import { checkPrepare } from '../core/validate-options.ts';
import { CpuStorage, HostPool } from './storage.ts';

/** After so many buffers, or bytes, a read lets finalizers run. */
const BUFFERS_PER_TURN = 1024;
const BYTES_PER_TURN = 32 * 2 ** 20;

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
  readonly #pool = new HostPool(this.counts);
  readonly #release = (bytes: ArrayBuffer): void => {
    if (this.#disposed) this.#pool.drop(bytes);
    else this.#pool.release(bytes);
  };
  /** Given out since finalizers could run. */
  #buffers = 0;
  #bytes = 0;
  #disposed = false;

  override stats(): DeviceStats {
    return { ...this.counts };
  }

  override async synchronize(): Promise<void> {
    capturing()?.refuse('synchronize', 'no wait in a captured step');
    await this.#turn();
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
    this.#pool.clear();
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

  override allocate(op: string, bytes: number): CpuStorage {
    const buffer = this.#pool.acquire(op, bytes);
    this.#buffers++;
    this.#bytes += bytes;
    return new CpuStorage(this, buffer, this.#release);
  }

  override upload(data: HostArray): CpuStorage {
    this.check('tensor');
    const storage = this.allocate('tensor', data.byteLength);
    const { buffer, byteOffset, byteLength } = data;
    new Uint8Array(storage.bytes).set(new Uint8Array(buffer, byteOffset, byteLength));
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
    const count = size * BYTES[dtype];
    const bytes = allocating('data', count, () => bytesOf(storage).slice(0, count));
    await this.#turn();
    this.check('data');
    return allocating('data', size * 4, () => decode(dtype, bytes, 0, size));
  }

  override peek(storage: Storage, dtype: DType): (index: number) => number {
    const bytes = bytesOf(storage);
    if (dtype === 'float16') {
      const halves = new Uint16Array(bytes);
      return (index) => fromHalf(halves[index] ?? NaN);
    }
    const words = dtype === 'int32' ? new Int32Array(bytes) : new Float32Array(bytes);
    return (index) => words[index] ?? NaN;
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
    kernel: DeviceKernel<A>,
    args: A,
    inputs: readonly Operand[],
    outputs: readonly Operand[],
  ): void {
    try {
      this.#compute(kernel, args, inputs, outputs);
    } catch (cause) {
      // Memory for conversions to and from float16, and for what a kernel keeps on the way.
      let elements = 0;
      for (const { size } of [...inputs, ...outputs]) elements += size;
      throw memoryError(opName(kernel, args), 8 * elements, cause);
    }
    this.counts.dispatches++;
  }

  #compute<A>(
    kernel: DeviceKernel<A>,
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
      for (let i = 0; i < bits.length; i++) bits[i] = toHalf(at(result, i));
    }
  }

  /**
   * Lets tasks run where much was given out since. Tensors that nothing can reach give their memory back in a task of the
   * engine's, which a loop that awaits nothing but our reads would put off for ever. Not at every read: it takes as long as
   * a short op.
   */
  async #turn(): Promise<void> {
    if (this.#buffers < BUFFERS_PER_TURN && this.#bytes < BYTES_PER_TURN) return;
    this.#buffers = 0;
    this.#bytes = 0;
    await nextTask();
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

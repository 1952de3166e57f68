/// <reference lib="esnext.disposable" preserve="true" />
// The tensor: a shape over reference-counted memory of one device.
import type { GradNode } from './autograd.ts';
import { runBackward } from './backward.ts';
import { capturing } from './capturing.ts';
import { currentDevice } from './current.ts';
import type { Device } from './device.ts';
import { BYTES, isFloat, type DType, type HostArray } from './dtype.ts';
import { DisposedError, DTypeError, ShapeError } from './errors.ts';
import { TENSOR } from './is-tensor.ts';
import { nest, type ArrayOfRank, type DataOf, type NestedArray } from './nested.ts';
import { print } from './print.ts';
import { track } from './scope.ts';
import { formatShape, sizeOf, type Shape } from './shape.ts';
import type { Storage } from './storage.ts';
import { checkDType, checkGrad, checkIsDevice, checkShape } from './validate.ts';
import type { GpuBuffer } from './host-types.ts';
import { checkBoolean, checkOptionNames } from './validate-options.ts';

/** Options of `Tensor.fromBuffer`. */
export interface FromBufferOptions {
  /** Row-major, without gaps. */
  shape: Shape;
  /** Defaults to `'float32'`. */
  dtype?: DType;
  /**
   * Where the tensor begins in the buffer, in bytes; a multiple of 256 (the device's `minStorageBufferOffsetAlignment`).
   * Defaults to 0.
   */
  offset?: number;
  /** That of the buffer. Defaults to the device of the latest `init()`. */
  device?: Device;
}

/** What Node's `util.inspect` calls. */
const INSPECT: unique symbol = /* @__PURE__ */ Symbol.for('nodejs.util.inspect.custom');

const NO_READ = 'no value read in a captured step';

// When a tensor is garbage-collected, its storage is released. The registry holds the storage and never the tensor.
const collected = /* @__PURE__ */ new FinalizationRegistry<Storage>((storage) => {
  storage.release();
});
/** New tensors that are not yet registered. Most are disposed of before that, and registering takes as long as the rest of a call. */
const unregistered: Tensor[] = [];
const MOST_UNREGISTERED = 256;

/** An n-dimensional array of float32, float16 or int32 numbers on one device. Contents are read asynchronously. */
export class Tensor {
  /** @internal See `isTensor`. */
  readonly [TENSOR] = true;
  /** The sizes of its dimensions; `[]` of a scalar. */
  readonly shape: Shape;
  /** `'float32'`, `'float16'` or `'int32'`. */
  readonly dtype: DType;
  /** Number of elements. */
  readonly size: number;
  /** Where its memory is. */
  readonly device: Device;
  /** @internal */
  node: GradNode | null = null;
  #grad: Tensor | null = null;
  #requiresGrad = false;
  #learned = false;
  #storage: Storage | null;
  #registered = false;

  /** @internal Use `tensor()` or `Tensor.fromBuffer()`. The tensor takes over one reference to `storage`. */
  constructor(storage: Storage, shape: Shape, dtype: DType) {
    this.shape = Object.isFrozen(shape) ? shape : Object.freeze([...shape]);
    this.dtype = dtype;
    this.size = sizeOf(shape);
    this.device = storage.device;
    this.#storage = storage;
    const count = unregistered.push(this);
    if (count === 1) queueMicrotask(() => Tensor.#register());
    else if (count >= MOST_UNREGISTERED) Tensor.#register();
    track(this);
  }

  static #register(): void {
    for (const tensor of unregistered) {
      if (tensor.#storage === null) continue;
      collected.register(tensor, tensor.#storage, tensor);
      tensor.#registered = true;
    }
    unregistered.length = 0;
  }

  /**
   * A tensor over a caller's `GPUBuffer` (usage `STORAGE`), without a copy. The buffer stays the caller's: it is never
   * pooled or destroyed here. Reading it back needs `COPY_SRC`.
   */
  static fromBuffer(buffer: GpuBuffer, options: FromBufferOptions): Tensor {
    checkOptionNames('Tensor.fromBuffer', options, ['shape', 'dtype', 'offset', 'device']);
    const { shape, dtype = 'float32', offset = 0, device = currentDevice() } = options;
    checkIsDevice('Tensor.fromBuffer', device);
    checkShape('Tensor.fromBuffer', 'shape', shape);
    checkDType('Tensor.fromBuffer', dtype);
    return new Tensor(device.borrow(buffer, offset, sizeOf(shape) * BYTES[dtype]), shape, dtype);
  }

  /** Number of dimensions. */
  get rank(): number {
    return this.shape.length;
  }

  /** @internal Shape and dtype, for a result like this tensor. */
  like(): { shape: Shape; dtype: DType } {
    return { shape: this.shape, dtype: this.dtype };
  }

  /** @internal A tensor over other memory, for modules that cannot import this class. Takes over one reference of `storage`. */
  over(storage: Storage, shape: Shape, dtype: DType): Tensor {
    return new Tensor(storage, shape, dtype);
  }

  /** Whether `dispose()` was called, or a scope has freed it. */
  get disposed(): boolean {
    return this.#storage === null;
  }

  /** Whether `backward()` computes a gradient for this tensor. */
  get requiresGrad(): boolean {
    capturing()?.readsRequiresGrad(this, this.#requiresGrad);
    return this.#requiresGrad;
  }

  set requiresGrad(value: boolean) {
    checkBoolean('requiresGrad', 'value', value);
    if (value && !isFloat(this.dtype)) {
      throw new DTypeError({
        op: 'requiresGrad',
        expected: 'a float32 or float16 tensor',
        received: this.dtype,
      });
    }
    this.#requiresGrad = value;
    if (value && this.node === null) this.#learned = true;
  }

  /** @internal Whether it is a leaf that needs a gradient, or has needed one: in a field of a module it is a parameter, frozen or not. */
  get learned(): boolean {
    return this.#learned && this.node === null;
  }

  /**
   * The gradient accumulated by `backward()`; set it to null to clear it. Only a live tensor of the same shape, dtype and
   * device can be one.
   */
  get grad(): Tensor | null {
    capturing()?.readsGrad(this, this.#grad);
    return this.#grad;
  }

  set grad(value: Tensor | null) {
    if (value !== null) checkGrad('grad', undefined, value, this);
    capturing()?.setsGrad(this, false);
    this.#grad = value;
  }

  /** Clears the gradient and frees its memory. */
  zeroGrad(): void {
    capturing()?.setsGrad(this, true);
    this.#grad?.dispose();
    this.#grad = null;
  }

  /** @internal The storage, or a `DisposedError` naming `op`. */
  storage(op: string, argument?: string): Storage {
    if (this.#storage === null) {
      throw new DisposedError({
        op,
        ...(argument === undefined ? {} : { argument }),
        expected: 'a live tensor',
        received: `a disposed tensor of shape ${formatShape(this.shape)}`,
      });
    }
    return this.#storage;
  }

  /**
   * The elements in row-major order: `Int32Array` for int32, otherwise `Float32Array` (float16 is widened). Of a `dtype` the type
   * is known, and a tensor of another one is refused with a `DTypeError`; nothing is converted.
   *
   * @example const losses = await loss.data({ dtype: 'float32' }); // Float32Array
   */
  data(): Promise<Float32Array | Int32Array>;
  data<D extends DType>(options: { dtype: D }): Promise<DataOf<D>>;
  data(options: { dtype?: DType } = {}): Promise<Float32Array | Int32Array> {
    capturing()?.refuse('data', NO_READ);
    return this.#read(options);
  }

  async #read({ dtype = this.dtype }: { dtype?: DType }): Promise<Float32Array | Int32Array> {
    if (dtype !== this.dtype) {
      throw new DTypeError({
        op: 'data',
        argument: 'dtype',
        expected: `${this.dtype}, that of the tensor`,
        received: dtype,
      });
    }
    return this.device.read(this.storage('data'), dtype, this.size);
  }

  /** The value of a tensor with one element. */
  item(): Promise<number> {
    capturing()?.refuse('item', NO_READ);
    return this.#item();
  }

  async #item(): Promise<number> {
    if (this.size !== 1) {
      throw new ShapeError({
        op: 'item',
        expected: 'a tensor with one element',
        received: `shape ${formatShape(this.shape)}`,
      });
    }
    const [value = NaN] = await this.data();
    return value;
  }

  /**
   * The elements as nested arrays (a number for a scalar). Of a `rank` the type is known, and a tensor of another one is refused
   * with a `ShapeError`.
   *
   * @example const rows = await logits.array({ rank: 2 }); // number[][]
   */
  array(): Promise<NestedArray>;
  array<R extends number>(options: { rank: R }): Promise<ArrayOfRank<R>>;
  array(options: { rank?: number } = {}): Promise<NestedArray> {
    capturing()?.refuse('array', NO_READ);
    return this.#array(options);
  }

  async #array({ rank = this.rank }: { rank?: number }): Promise<NestedArray> {
    if (rank !== this.rank) {
      throw new ShapeError({
        op: 'array',
        argument: 'rank',
        expected: `${this.rank}, that of the tensor`,
        received: String(rank),
      });
    }
    return nest(await this.data(), this.shape);
  }

  /**
   * The GPU buffer behind the tensor, without a copy: pending work is submitted first, so that commands submitted
   * after this call see the tensor's value. Valid until the tensor is disposed or collected.
   */
  buffer(): { buffer: GpuBuffer; offset: number; size: number } {
    capturing()?.refuse('buffer', NO_READ);
    return this.device.expose(this.storage('buffer'), this.size * BYTES[this.dtype]);
  }

  /**
   * Computes the gradients of every tensor with `requiresGrad` that this one was computed from, and adds them to
   * their `grad`. `gradOutput` defaults to 1 for a scalar and is required otherwise. The graph is freed afterwards
   * unless `retainGraph` is set. Where it throws, no `grad` has changed.
   */
  backward(gradOutput?: Tensor, options: { retainGraph?: boolean } = {}): void {
    checkOptionNames('backward', options, ['retainGraph'], 'gradients have no graph of their own');
    const { retainGraph = false } = options;
    checkBoolean('backward', 'retainGraph', retainGraph);
    runBackward(this, gradOutput, retainGraph);
  }

  /** The same data without the graph that computed it. */
  detach(): Tensor {
    return new Tensor(this.storage('detach').retain(), this.shape, this.dtype);
  }

  /** @internal Takes the memory and dtype of another tensor of this shape, which is gone afterwards. */
  become(other: Tensor): void {
    const storage = other.storage('to').retain();
    this.#storage?.release();
    this.#storage = storage;
    (this as { dtype: DType }).dtype = other.dtype;
    other.dispose();
    if (!this.#registered) return;
    collected.unregister(this);
    collected.register(this, storage, this);
  }

  /** Releases the memory now, and not when the tensor is garbage-collected. Further calls do nothing. */
  dispose(): void {
    const storage = this.#storage;
    if (storage === null) return;
    this.#storage = null;
    this.node?.release();
    this.node = null;
    if (this.#registered) collected.unregister(this);
    storage.release();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /**
   * Shape, dtype, device, whether it requires a gradient; on the CPU the elements too, of many the first and last. Those of a GPU
   * have to be waited for (`array`, `data`). Also what Node's `console.log` shows. Never throws.
   */
  toString(): string {
    return print(this);
  }

  /** @internal */
  [INSPECT](): string {
    return print(this);
  }
}

/** @internal A tensor of already encoded elements. */
export function fromHost(
  data: HostArray,
  shape: Shape,
  dtype: DType,
  device: Device,
  requiresGrad = false,
): Tensor {
  const result = new Tensor(device.upload(data), shape, dtype);
  result.requiresGrad = requiresGrad;
  return result;
}

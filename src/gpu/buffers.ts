// In: sizes in bytes. Out: GPU buffers, reused through a pool of bounded size.
import { OutOfMemoryError } from '../errors.ts';

/** A GPU buffer and what the scheduler must know of it. */
export interface PooledBuffer {
  readonly id: number;
  readonly gpu: GPUBuffer;
  /** Bytes allocated; the tensor inside may be smaller. */
  readonly size: number;
  /** Number of the last batch whose commands use it. */
  lastUse: number;
  /** Commands in a caller's encoder use it: it is left to the garbage collector instead of being reused. */
  pinned: boolean;
}

export interface PoolStats {
  liveBuffers: number;
  liveBytes: number;
  pooledBuffers: number;
  pooledBytes: number;
  buffersCreated: number;
}

let ids = 0;

/** A buffer that is not pooled: a caller's, or one of the device's own. */
export function unpooled(gpu: GPUBuffer): PooledBuffer {
  return { id: ids++, gpu, size: gpu.size, lastUse: -1, pinned: true };
}

/** Bytes to allocate for `bytes`: 16 sizes per power of two, so that at most 1/16 is wasted and sizes repeat. */
export function sizeClass(bytes: number): number {
  const step = Math.max(256, 2 ** Math.floor(Math.log2(Math.max(bytes, 1))) / 16);
  return Math.max(256, Math.ceil(bytes / step) * step);
}

/** Buffers of a size that are made one by one; then as many at a time as there are, within bounds. */
const ONE_BY_ONE = 16;
const MOST_AT_A_TIME = 256;
const BYTES_AT_A_TIME = 2 ** 20;

export class BufferPool {
  readonly stats: PoolStats = {
    liveBuffers: 0,
    liveBytes: 0,
    pooledBuffers: 0,
    pooledBytes: 0,
    buffersCreated: 0,
  };
  readonly #device: GPUDevice;
  readonly #usage: GPUBufferUsageFlags;
  readonly #label: string;
  readonly #bound: number;
  readonly #watch: <T>(op: string, create: () => T) => T;
  readonly #onDestroy: (buffer: PooledBuffer) => void;
  readonly #free = new Map<number, PooledBuffer[]>();
  /** How many buffers of each size were made. */
  readonly #made = new Map<number, number>();

  /** `bound`: most bytes kept for reuse; what is returned beyond it is handed to `onDestroy`. `watch` reports errors. */
  constructor(
    device: GPUDevice,
    options: { usage: GPUBufferUsageFlags; label: string; bound: number },
    watch: <T>(op: string, create: () => T) => T,
    onDestroy: (buffer: PooledBuffer) => void,
  ) {
    this.#watch = watch;
    this.#device = device;
    this.#usage = options.usage;
    this.#label = options.label;
    this.#bound = options.bound;
    this.#onDestroy = onDestroy;
  }

  /**
   * A buffer of at least `bytes`. `busyFrom`: only one whose last use is in an earlier batch, since it will be written
   * at once by `writeBuffer`, ahead of the commands still waiting.
   */
  acquire(op: string, bytes: number, busyFrom = Infinity): PooledBuffer {
    const size = sizeClass(bytes);
    let buffer = takeFree(this.#free.get(size), busyFrom);
    if (buffer) {
      this.stats.pooledBuffers--;
      this.stats.pooledBytes -= size;
    } else {
      buffer = this.#create(op, size);
    }
    this.stats.liveBuffers++;
    this.stats.liveBytes += size;
    return buffer;
  }

  release(buffer: PooledBuffer): void {
    this.stats.liveBuffers--;
    this.stats.liveBytes -= buffer.size;
    if (buffer.pinned) return;
    if (this.stats.pooledBytes + buffer.size > this.#bound) {
      this.#onDestroy(buffer);
      return;
    }
    this.stats.pooledBuffers++;
    this.stats.pooledBytes += buffer.size;
    this.#listOf(buffer.size).push(buffer);
  }

  /** What waits for reuse of a size. */
  #listOf(size: number): PooledBuffer[] {
    let list = this.#free.get(size);
    if (!list) this.#free.set(size, (list = []));
    return list;
  }

  #create(op: string, size: number): PooledBuffer {
    const most = this.#device.limits.maxBufferSize;
    if (size > most) {
      throw new OutOfMemoryError({
        op,
        expected: `at most ${String(most)} bytes per tensor on this device`,
        received: `${String(size)} bytes`,
      });
    }
    const made = this.#made.get(size) ?? 0;
    const count = this.#countToMake(size, made);
    this.#made.set(size, made + count);
    const [first, ...others] = this.#watch(op, () => {
      const create = (): PooledBuffer => ({
        id: ids++,
        gpu: this.#device.createBuffer({ size, usage: this.#usage, label: this.#label }),
        size,
        lastUse: -1,
        pinned: false,
      });
      const buffers: [PooledBuffer, ...PooledBuffer[]] = [create()];
      while (buffers.length < count) buffers.push(create());
      return buffers;
    });
    this.stats.buffersCreated += count;
    this.stats.pooledBuffers += others.length;
    this.stats.pooledBytes += others.length * size;
    // In front, where an idle buffer is looked for.
    this.#listOf(size).unshift(...others);
    return first;
  }

  /**
   * A long chain of ops needs thousands of small buffers at once. Each creation is watched by error scopes of its own, and
   * browsers take a time that grows with the square of the scopes whose results are awaited: so a few are made under one.
   */
  #countToMake(size: number, made: number): number {
    if (made < ONE_BY_ONE) return 1;
    const room = Math.min(BYTES_AT_A_TIME, this.#bound - this.stats.pooledBytes);
    return Math.max(1, Math.min(made, MOST_AT_A_TIME, Math.floor(room / size)));
  }

  /** Destroys everything that waits for reuse. */
  clear(): void {
    for (const list of this.#free.values()) for (const buffer of list) this.#onDestroy(buffer);
    this.#free.clear();
    this.stats.pooledBuffers = 0;
    this.stats.pooledBytes = 0;
  }
}

/** Buffers looked at for one that is idle: enough to find it, few enough where thousands wait for their commands. */
const LOOKED_AT = 32;

/** Takes the buffer that was returned last, or, where one has to be idle, one of the first whose last use is before `busyFrom`. */
function takeFree(list: PooledBuffer[] | undefined, busyFrom: number): PooledBuffer | undefined {
  if (!list) return undefined;
  if (busyFrom === Infinity) return list.pop();
  const index = list.slice(0, LOOKED_AT).findIndex(({ lastUse }) => lastUse < busyFrom);
  return index < 0 ? undefined : list.splice(index, 1)[0];
}

// GPU buffers, reused through a pool of bounded size.
import { OutOfMemoryError } from '../core/errors.ts';
import { sizeClass } from '../core/memory.ts';
import type { Fate } from './fate.ts';
import type { Scopes } from './faults.ts';
import type { Run } from './runs.ts';
import type { Tap } from './tap.ts';

/** A GPU buffer and what the scheduler must know of it. */
export interface PooledBuffer {
  readonly id: number;
  /** Replaced by another buffer if memory was available only at the second attempt. */
  gpu: GPUBuffer;
  /** Bytes allocated; the tensor inside may be smaller. */
  readonly size: number;
  /** Number of the last batch whose commands use it. */
  lastUse: number;
  /**
   * A caller's encoder contains commands that use this buffer, so it is never reused but left to the garbage
   * collector.
   */
  pinned: boolean;
  /** The buffer belongs to the caller, who may have destroyed it. */
  foreign: boolean;
  /** Destroyed. */
  gone: boolean;
  /** Whether memory was available for it; null once that is certain. */
  birth: Fate | null;
  /**
   * Whether its contents can be used; null if no write to it can have failed. It changes when commands are submitted,
   * in their order.
   */
  fate: Fate | null;
  /** The commands in a caller's encoder that write it, until they are known to have run. */
  run: Run | null;
  /** The pass of `judge` that last found a command that writes it. */
  writer: number;
  /**
   * The latest period in which a kernel may have written an error about its contents to the status word. A period is
   * the time between two reads of that word.
   */
  noted: number;
  /** Who has it until its end, although tensors may have it as well. */
  owner: BufferOwner | null;
}

/** Keeps buffers that are not to be used for anything else. */
export interface BufferOwner {
  /** No tensor has the buffer any more. */
  released(buffer: PooledBuffer): void;
}

export interface PoolStats {
  liveBuffers: number;
  liveBytes: number;
  pooledBuffers: number;
  pooledBytes: number;
  buffersCreated: number;
}

let ids = 0;

/** A buffer that does not come from the pool: a caller's, or one that the device itself uses. */
export function unpooled(gpu: GPUBuffer, birth: Fate | null = null): PooledBuffer {
  return { ...handleOf(gpu, gpu.size, birth), pinned: true };
}

function handleOf(gpu: GPUBuffer, size: number, birth: Fate | null): PooledBuffer {
  return {
    id: ids++,
    gpu,
    size,
    lastUse: -1,
    pinned: false,
    foreign: false,
    gone: false,
    birth,
    fate: null,
    run: null,
    writer: -1,
    noted: -1,
    owner: null,
  };
}

/** Runs calls inside error scopes, which report whether memory was available. */
export type Watch = <T>(op: string, create: (scopes?: Scopes) => T) => T;

/**
 * The first buffers of a size are made one by one. After that, as many are made at a time as exist already, within
 * limits.
 */
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
  /** Told of what is given out and comes back. */
  tap: Tap | null = null;
  readonly #device: GPUDevice;
  readonly #usage: GPUBufferUsageFlags;
  readonly #label: string;
  readonly #bound: number;
  readonly #watch: Watch;
  readonly #onDestroy: (buffer: PooledBuffer) => void;
  readonly #free = new Map<number, PooledBuffer[]>();
  /** How many buffers of each size were made. */
  readonly #made = new Map<number, number>();

  /**
   * `bound` is the number of bytes that are kept for reuse; buffers beyond it are passed to `onDestroy`. `watch`
   * reports errors.
   */
  constructor(
    device: GPUDevice,
    options: { usage: GPUBufferUsageFlags; label: string; bound: number },
    watch: Watch,
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
   * Returns a buffer of at least `bytes`. With `busyFrom`, its last use must be in a batch before that number,
   * because `writeBuffer` will write to it immediately, before the commands that still wait.
   */
  acquire(op: string, bytes: number, busyFrom = Infinity): PooledBuffer {
    const size = sizeClass(bytes);
    const list = this.#free.get(size);
    let buffer = takeFree(list, busyFrom);
    while (buffer) {
      this.stats.pooledBuffers--;
      this.stats.pooledBytes -= size;
      if (!isLost(buffer)) break;
      this.#onDestroy(buffer);
      buffer = takeFree(list, busyFrom);
    }
    buffer ??= this.#create(op, bytes, size);
    this.stats.liveBuffers++;
    this.stats.liveBytes += size;
    this.tap?.acquired(buffer);
    return buffer;
  }

  release(buffer: PooledBuffer): void {
    this.tap?.released(buffer);
    if (buffer.owner) {
      buffer.owner.released(buffer);
      return;
    }
    this.stats.liveBuffers--;
    this.stats.liveBytes -= buffer.size;
    if (buffer.pinned) return;
    if (isLost(buffer) || this.stats.pooledBytes + buffer.size > this.#bound) {
      this.#onDestroy(buffer);
      return;
    }
    this.stats.pooledBuffers++;
    this.stats.pooledBytes += buffer.size;
    this.#listOf(buffer.size).push(buffer);
  }

  /** The free buffers of a size. */
  #listOf(size: number): PooledBuffer[] {
    let list = this.#free.get(size);
    if (!list) this.#free.set(size, (list = []));
    return list;
  }

  /** Throws if `bytes` is more than any buffer can have. */
  checkBytes(op: string, bytes: number): void {
    const most = this.#device.limits.maxBufferSize;
    if (sizeClass(bytes) <= most) return;
    throw new OutOfMemoryError({
      op,
      expected: `at most ${most} bytes per tensor on this device`,
      received: `${bytes} bytes`,
    });
  }

  #create(op: string, bytes: number, size: number): PooledBuffer {
    this.checkBytes(op, bytes);
    const made = this.#made.get(size) ?? 0;
    const count = this.#countToMake(size, made);
    this.#made.set(size, made + count);
    const descriptor = { size, usage: this.#usage, label: this.#label };
    const [first, ...others] = this.#watch(op, (scopes) => {
      const create = (): PooledBuffer => {
        const gpu = this.#device.createBuffer(descriptor);
        const buffer = handleOf(gpu, size, scopes?.fate ?? null);
        scopes?.again.push(() => {
          if (!buffer.gone) buffer.gpu = this.#device.createBuffer(descriptor);
        });
        return buffer;
      };
      const buffers: [PooledBuffer, ...PooledBuffer[]] = [create()];
      while (buffers.length < count) buffers.push(create());
      return buffers;
    });
    this.stats.buffersCreated += count;
    this.stats.pooledBuffers += others.length;
    this.stats.pooledBytes += others.length * size;
    // They are put at the front, where the search for an idle buffer begins.
    this.#listOf(size).unshift(...others);
    return first;
  }

  /**
   * A long chain of ops needs thousands of small buffers at once. Each creation has error scopes, and browsers take a
   * time that grows with the square of the number of pending scopes. Several buffers are therefore made inside the
   * same scopes.
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

export function destroy(buffer: PooledBuffer): void {
  buffer.gone = true;
  buffer.gpu.destroy();
}

/** Whether no memory was available for it. */
export function isLost({ birth }: PooledBuffer): boolean {
  return !!birth?.error;
}

/**
 * How many buffers are examined to find an idle one: enough to find one, but few enough if thousands wait for their
 * commands.
 */
const LOOKED_AT = 32;

/**
 * Takes the buffer that was returned last. If an idle buffer is needed, takes the first one that was last used before
 * batch `busyFrom`.
 */
function takeFree(list: PooledBuffer[] | undefined, busyFrom: number): PooledBuffer | undefined {
  if (!list) return undefined;
  if (busyFrom === Infinity) return list.pop();
  const index = list.slice(0, LOOKED_AT).findIndex(({ lastUse }) => lastUse < busyFrom);
  return index < 0 ? undefined : list.splice(index, 1)[0];
}

// The memory that a captured step has until it is disposed of, whoever else has it.
import type { Storage } from '../core/storage.ts';
import type { BufferOwner, BufferPool, PooledBuffer } from './buffers.ts';

export class Arena implements BufferOwner {
  readonly #pool: BufferPool;
  readonly #owned = new Set<PooledBuffer>();
  /** Those that no tensor has. */
  readonly #idle = new Set<PooledBuffer>();
  readonly #storages: Storage[] = [];

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  /** Takes over a buffer that tensors have, or, where it is `idle`, that none has. */
  own(buffer: PooledBuffer, idle = false): void {
    if (buffer.owner) return;
    buffer.owner = this;
    this.#owned.add(buffer);
    if (idle) this.#idle.add(buffer);
  }

  /** Keeps a tensor's memory for another tensor after it. */
  retain(storage: Storage): void {
    this.#storages.push(storage.retain());
  }

  released(buffer: PooledBuffer): void {
    this.#idle.add(buffer);
  }

  /** Gives back what no tensor has, and leaves the rest to its tensors. */
  dispose(): void {
    for (const buffer of this.#owned) buffer.owner = null;
    for (const buffer of this.#idle) this.#pool.release(buffer);
    for (const storage of this.#storages) storage.release();
    this.#owned.clear();
    this.#idle.clear();
    this.#storages.length = 0;
  }
}

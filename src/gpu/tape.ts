// Keeps the launches of a function that runs for the first time, with the memory that each of them uses.
import type { Operand } from '../core/device.ts';
import type { HostArray } from '../core/dtype.ts';
import { OptionError } from '../core/errors.ts';
import type { OptionPlace } from '../core/kernel.ts';
import type { Storage } from '../core/storage.ts';
import type { ParamValues } from '../shader/params.ts';
import { Arena } from './arena.ts';
import type { BufferPool, PooledBuffer } from './buffers.ts';
import type { Copy, Op } from './encoder.ts';
import type { KeptLaunch, Use } from './plans.ts';
import type { Recorded } from './recording.ts';
import { asGpu } from './storage.ts';
import type { Tap } from './tap.ts';

/** The contents of a buffer from when it is given out until no tensor has it. */
export class Life {
  readonly buffer: PooledBuffer;
  /** Whether it was there before the function began. */
  readonly external: boolean;
  /** What the host wrote to it. */
  data: HostArray | null = null;
  /** Whether it is kept from replay to replay. */
  state = false;
  released = false;
  /** The indices of the first and the last command that use it; -1: none. */
  first = -1;
  last = -1;
  /** Whether the commands need what it holds before them, and whether they write it. */
  needed = false;
  written = false;

  constructor(buffer: PooledBuffer, external: boolean) {
    this.buffer = buffer;
    this.external = external;
  }
}

/** Options of a launch that are others in each replay. */
export interface Change extends OptionPlace {
  readonly next: () => ParamValues;
}

/** A command, with the lives of its buffers in place of these. */
export type Taped =
  | { readonly op: Op; readonly copy: Omit<Copy, 'op'>; readonly from: Life; readonly to: Life }
  | {
      readonly op: Op;
      readonly kept: KeptLaunch;
      readonly bound: Extract<Recorded, { kept: unknown }>['bound'];
      readonly lives: readonly Life[];
      readonly changes: readonly Change[];
    };

/** How a captured step names the options that change. */
export interface Changes {
  get(options: object): (() => object) | undefined;
}

export class Tape implements Tap {
  readonly commands: Taped[] = [];
  /** What was given out while the function ran. */
  readonly made: Life[] = [];
  readonly arena: Arena;
  /** Memory that was there before the function began and that it uses. */
  readonly external = new Set<Storage>();
  /** Memory that the commands write. */
  readonly written = new Set<Storage>();
  readonly #inputs: ReadonlySet<PooledBuffer>;
  readonly #changes: Changes;
  readonly #lives = new Map<PooledBuffer, Life>();
  /** The options of the current call that are others in each replay, by their places. */
  #sets = new Map<number, () => object>();
  #ended = false;

  constructor(pool: BufferPool, inputs: ReadonlySet<PooledBuffer>, changes: Changes) {
    this.arena = new Arena(pool);
    this.#inputs = inputs;
    this.#changes = changes;
  }

  /** The function has returned: what comes now is no part of a replay. */
  end(): void {
    this.#ended = true;
  }

  acquired(buffer: PooledBuffer): void {
    if (this.#ended) {
      this.#lives.delete(buffer);
      return;
    }
    const life = new Life(buffer, false);
    this.#lives.set(buffer, life);
    this.made.push(life);
  }

  released(buffer: PooledBuffer): void {
    const life = this.#lives.get(buffer);
    if (life) life.released = true;
  }

  uploaded(buffer: PooledBuffer, data: HostArray): void {
    const life = this.#lives.get(buffer);
    if (!life || this.#ended) return;
    life.data = data.slice();
    // Uploads are not repeated, so nothing else may be written there.
    this.arena.own(buffer);
  }

  called(args: unknown, inputs: readonly Operand[], outputs: readonly Operand[]): void {
    if (this.#ended) return;
    for (const { storage } of inputs) this.#note(storage, false);
    for (const { storage } of outputs) this.#note(storage, true);
    this.#sets.clear();
    if (typeof args !== 'object' || args === null) return;
    for (const value of Object.values(args) as unknown[]) {
      const list: readonly unknown[] = Array.isArray(value) ? value : [value];
      list.forEach((options, set) => {
        const next =
          typeof options === 'object' && options !== null ? this.#changes.get(options) : undefined;
        if (next) this.#sets.set(set, next);
      });
    }
  }

  added(command: Recorded): void {
    if (this.#ended) return;
    if ('from' in command) {
      const from = this.#use(command.from, 'read');
      const to = this.#use(command.to, command.partial === true ? 'update' : 'write');
      this.commands.push({ op: command.op, copy: command, from, to });
      return;
    }
    const { op, kept, bound } = command;
    const lives = bound.buffers.map((buffer, i) => this.#use(buffer, kept.uses[i] ?? 'update'));
    const changes: Change[] = [];
    for (const place of kept.launch.places ?? []) {
      const next = this.#sets.get(place.set);
      if (next) changes.push({ ...place, next: next as () => ParamValues });
    }
    this.commands.push({ op, kept, bound, lives, changes });
  }

  /** Memory that a tensor keeps from replay to replay. */
  keepsState(storage: Storage): void {
    const life = this.#lives.get(asGpu(storage).buffer);
    if (life) life.state = true;
  }

  /** The life of a tensor's buffer now. */
  lifeOf(storage: Storage): Life {
    return this.#lifeOf(asGpu(storage).buffer);
  }

  #note(storage: Storage, written: boolean): void {
    const { external } = this.#lifeOf(asGpu(storage).buffer);
    if (external) this.external.add(storage);
    if (written) this.written.add(storage);
  }

  #lifeOf(buffer: PooledBuffer): Life {
    let life = this.#lives.get(buffer);
    if (!life) this.#lives.set(buffer, (life = new Life(buffer, true)));
    return life;
  }

  #use(buffer: PooledBuffer, use: Use): Life {
    const life = this.#lifeOf(buffer);
    const index = this.commands.length;
    if (life.first < 0) {
      life.first = index;
      life.needed = use !== 'write';
    }
    life.last = index;
    if (use === 'write' || use === 'update') {
      if (this.#inputs.has(buffer)) {
        throw new OptionError({
          op: 'capture',
          argument: 'fn',
          expected: 'a function that leaves its inputs as they are',
          received: 'one that writes to them',
        });
      }
      life.written = true;
    }
    return life;
  }
}

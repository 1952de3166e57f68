// Watches WebGPU calls by error scopes, sets the fate of what they make and write, and keeps the errors that no read has
// thrown yet.
import {
  OutOfMemoryError,
  ShaderError,
  type NonlinError,
  type OptionError,
} from '../core/errors.ts';
import { Fate } from './fate.ts';

/** Error scopes that are open, or closed and not yet heard of. */
export interface Scopes {
  /** The op that they are for. */
  op: string;
  readonly fate: Fate;
  /** Makes once more what was made under them; left out where that is of no use any more. */
  readonly again: (() => void)[];
  /** The argument that the error names, and what was expected of it. */
  readonly argument?: string;
  readonly expected: string;
  /** The error of a call that the GPU refuses. */
  readonly Refused: typeof ShaderError | typeof OptionError;
  retried: boolean;
  /** Shaders were handed to the compiler: what it refuses is told by the promise of the pipeline. */
  shaders: boolean;
  /** Whether these scopes watch a write, and not the making of something. */
  readonly writes: boolean;
}

/** Most errors kept for `synchronize`: a loop that never asks for results may make many. */
const MOST_UNREAD = 64;

export class Faults {
  readonly #device: GPUDevice;
  readonly #freeMemory: () => void;
  /** Fates of buffers and pipelines that were asked for and of which nothing has been heard. */
  readonly #births = new Map<Fate, Scopes>();
  /** Fates of commands of which nothing has been heard. */
  readonly #writes = new Set<Fate>();
  readonly #unread = new Set<NonlinError>();
  #depth = 0;
  /** The scopes that the calls between `begin` and `end` share. */
  #opened: Scopes | null = null;

  /** `freeMemory` gives back what can be spared, before memory that could not be had is asked for once more. */
  constructor(device: GPUDevice, freeMemory: () => void) {
    this.#device = device;
    this.#freeMemory = freeMemory;
  }

  /** Notes an error that a read or `synchronize` has to throw. */
  report(error: NonlinError): void {
    if (this.#unread.size < MOST_UNREAD) this.#unread.add(error);
  }

  /** Notes that an error has been thrown; whether it had not been before. */
  thrown(error: NonlinError): boolean {
    return this.#unread.delete(error);
  }

  /** Throws an error that no read has thrown, if there is one; each once. */
  throwUnread(): void {
    for (const error of this.#unread) {
      this.#unread.delete(error);
      throw error;
    }
  }

  /** Fates of what was made and is not known yet; null where there is none. */
  get births(): readonly Fate[] | null {
    return this.#births.size > 0 ? [...this.#births.keys()] : null;
  }

  /** What is made is about to be used without waiting: if it cannot be had, it is not made once more. */
  useBirths(): void {
    for (const scopes of this.#births.values()) {
      scopes.retried = true;
      scopes.fate.doubtful = true;
    }
  }

  /** Resolves once everything so far has been heard of. */
  async heard(): Promise<void> {
    const fates = [...this.#births.keys(), ...this.#writes];
    await Promise.all(fates.map((fate) => fate.settled()));
  }

  /** From here to `end`, calls share error scopes: each costs a message and three promises. No caller's code in between. */
  begin(): void {
    this.#depth++;
  }

  end(): void {
    if (--this.#depth > 0 || this.#opened === null) return;
    const scopes = this.#opened;
    this.#opened = null;
    this.close(scopes);
  }

  /** Makes buffers or pipelines under error scopes. Commands that use them wait until their fate is known. */
  watch<T>(op: string, call: (scopes: Scopes) => T): T {
    this.begin();
    try {
      if (!this.#opened) {
        this.#opened = this.#push(scopesFor(op, false));
        this.#births.set(this.#opened.fate, this.#opened);
      }
      return call(this.#opened);
    } finally {
      this.end();
    }
  }

  /** Opens error scopes for commands that are about to be encoded or submitted. */
  open(
    op: string,
    details: Partial<Pick<Scopes, 'argument' | 'expected' | 'Refused' | 'fate'>> = {},
  ): Scopes {
    const scopes = this.#push({ ...scopesFor(op, true), ...details });
    this.#writes.add(scopes.fate);
    return scopes;
  }

  close(scopes: Scopes): void {
    let [left, worst]: [number, GPUError | null] = [SCOPES.length, null];
    let memory = false;
    const heard = (filter: GPUErrorFilter, error: GPUError | null): void => {
      const none =
        error && (filter === 'out-of-memory' || error.constructor.name === 'GPUOutOfMemoryError');
      // An invalid buffer is refused by other calls as well: that memory has run out says more.
      if (error && (!worst || none)) worst = error;
      if (none) memory = true;
      if (--left === 0) this.#heard(scopes, worst, memory);
    };
    for (const filter of SCOPES.toReversed()) {
      this.#device.popErrorScope().then(
        (error) => {
          heard(filter, error);
        },
        // The device is lost, which every read says.
        () => {
          heard(filter, null);
        },
      );
    }
  }

  #push(scopes: Scopes): Scopes {
    for (const filter of SCOPES) this.#device.pushErrorScope(filter);
    return scopes;
  }

  #heard(scopes: Scopes, error: GPUError | null, memory: boolean): void {
    if (error && memory && !scopes.retried && scopes.again.length > 0) {
      scopes.retried = true;
      this.#freeMemory();
      this.#push(scopes);
      for (const make of scopes.again) make();
      this.close(scopes);
      return;
    }
    this.#births.delete(scopes.fate);
    this.#writes.delete(scopes.fate);
    const { op, fate, again, argument, expected } = scopes;
    if (!error || (scopes.shaders && !memory)) {
      fate.settle(null);
      return;
    }
    const fault = memory
      ? new OutOfMemoryError({ op, expected: 'memory on the GPU', received: error.message })
      : new scopes.Refused({
          op,
          ...(argument === undefined ? {} : { argument }),
          expected,
          received: error.message,
        });
    fate.settle(fault);
    // What a pipeline's error means is said of each op that needs it.
    if (scopes.writes || again.length > 0) this.report(fault);
  }
}

function scopesFor(op: string, writes: boolean): Scopes {
  return {
    op,
    fate: new Fate(),
    again: [],
    expected: 'commands the GPU accepts',
    Refused: ShaderError,
    retried: false,
    shaders: false,
    writes,
  };
}

const SCOPES = ['validation', 'out-of-memory', 'internal'] as const;

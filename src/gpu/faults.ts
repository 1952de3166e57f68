// Watches WebGPU calls with error scopes, settles the fate of the objects they make and the memory they write, and
// keeps the errors that no read has thrown yet.
import {
  DeviceMismatchError,
  OutOfMemoryError,
  ShaderError,
  type NonlinError,
  type OptionError,
} from '../core/errors.ts';
import { Fate } from './fate.ts';

/** Error scopes that are open, or closed without a result so far. */
export interface Scopes {
  /** The name of the op that the calls belong to. */
  op: string;
  readonly fate: Fate;
  /** Functions that make the objects a second time. Empty if that would be useless. */
  readonly again: (() => void)[];
  /** The argument that an error names, and what was expected of it. */
  readonly argument?: string;
  readonly expected: string;
  /** The class of error for a call that WebGPU refuses. */
  readonly Refused: typeof ShaderError | typeof OptionError;
  retried: boolean;
  /** Whether shaders were compiled. The promise of the pipeline reports their errors, not these scopes. */
  shaders: boolean;
  /** Whether the calls write memory, as opposed to making objects. */
  readonly writes: boolean;
}

/** The number of errors kept for `synchronize`. A loop that never reads results may make many more. */
const MOST_UNREAD = 64;

export class Faults {
  readonly #device: GPUDevice;
  readonly #freeMemory: () => void;
  /** Fates of buffers and pipelines whose error scopes have not reported yet. */
  readonly #births = new Map<Fate, Scopes>();
  /** Fates of commands whose error scopes have not reported yet. */
  readonly #writes = new Set<Fate>();
  readonly #unread = new Set<NonlinError>();
  #depth = 0;
  /** The scopes that all calls between `begin` and `end` share. */
  #opened: Scopes | null = null;

  /** `freeMemory` releases unused memory before a failed allocation is tried a second time. */
  constructor(device: GPUDevice, freeMemory: () => void) {
    this.#device = device;
    this.#freeMemory = freeMemory;
  }

  /** Keeps an error that a read or `synchronize` must throw. */
  report(error: NonlinError): void {
    if (this.#unread.size < MOST_UNREAD) this.#unread.add(error);
  }

  /** Marks an error as thrown. Returns whether it had not been thrown before. */
  thrown(error: NonlinError): boolean {
    return this.#unread.delete(error);
  }

  /** Throws one error that no read has thrown, if there is any. Each error is thrown once. */
  throwUnread(): void {
    for (const error of this.#unread) {
      this.#unread.delete(error);
      throw error;
    }
  }

  /** The fates of new buffers and pipelines that are not known yet; null if there are none. */
  get births(): readonly Fate[] | null {
    return this.#births.size > 0 ? [...this.#births.keys()] : null;
  }

  /** Called if new buffers are about to be used without waiting. If their allocation fails, it is not tried again. */
  useBirths(): void {
    for (const scopes of this.#births.values()) {
      scopes.retried = true;
      scopes.fate.doubtful = true;
    }
  }

  /** Resolves once the error scopes of all calls so far have reported. */
  async heard(): Promise<void> {
    const fates = [...this.#births.keys(), ...this.#writes];
    await Promise.all(fates.map((fate) => fate.settled()));
  }

  /**
   * Calls from here to `end` share error scopes, because each set of scopes costs a message and three promises. No
   * code of the caller may run in between.
   */
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
      // Running out of memory makes a buffer invalid, and other calls then refuse it. The memory error explains more,
      // so it is kept.
      if (error && (!worst || none)) worst = error;
      if (none) memory = true;
      if (--left === 0) this.#heard(scopes, worst, memory);
    };
    for (const filter of SCOPES.toReversed()) {
      this.#device.popErrorScope().then(
        (error) => {
          heard(filter, error);
        },
        // The device is lost, which every read reports anyway.
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
    const { fate, again } = scopes;
    if (!error || (scopes.shaders && !memory)) {
      fate.settle(null);
      return;
    }
    const fault = faultOf(scopes, error, memory);
    fate.settle(fault);
    // An error of a pipeline is reported for each op that needs the pipeline.
    if (scopes.writes || again.length > 0) this.report(fault);
  }
}

function faultOf(
  { op, argument, expected, Refused }: Scopes,
  error: GPUError,
  memory: boolean,
): NonlinError {
  const received = error.message;
  if (memory) return new OutOfMemoryError({ op, expected: 'memory on the GPU', received });
  if (argument !== undefined) return new Refused({ op, argument, expected, received });
  if (OF_ANOTHER_DEVICE.test(received)) {
    return new DeviceMismatchError(
      {
        op,
        expected: "buffers of its tensors' device",
        received: 'one of another GPUDevice',
        hint: 'which a tensor of Tensor.fromBuffer has brought',
      },
      { cause: error },
    );
  }
  return new Refused({ op, expected, received });
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

/** How Dawn and wgpu (Chromium and Firefox) say so: there is no other way to ask whose a buffer is. */
const OF_ANOTHER_DEVICE = /\bassociated with .*device|\bdevice\b.* doesn't match .*\bdevice\b/i;

const SCOPES = ['validation', 'out-of-memory', 'internal'] as const;

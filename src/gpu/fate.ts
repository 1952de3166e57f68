// A fate says whether memory can be used that earlier WebGPU calls wrote. Browsers report errors of these calls
// later, so a fate is not known at first.
import type { NonlinError } from '../core/errors.ts';

/** Increased whenever a fate becomes known. Until then, no fate that is still unknown needs to be examined again. */
let known = 0;

/**
 * Whether the memory that some WebGPU calls wrote can be used. Every buffer they wrote refers to their fate. What is
 * computed from these buffers refers to a fate that depends on it, so nothing must be notified when it becomes known.
 */
export class Fate {
  /** Whether failure is so likely that commands that cannot be undone wait until the fate is known. */
  doubtful: boolean;
  #error: NonlinError | null | undefined = undefined;
  #causes: Fate[];
  #asked = -1;
  #settled: Promise<void> | null = null;
  #resolve: (() => void) | null = null;

  /** `causes` are the fates on which this one depends. A fate without causes is decided by `settle`. */
  constructor(causes: Fate[] = []) {
    this.#causes = causes;
    this.doubtful = causes.some((cause) => cause.doubtful);
  }

  /** The error; null if there was none, undefined while this is not known. */
  get error(): NonlinError | null | undefined {
    if (this.#error === undefined && this.#causes.length > 0 && this.#asked !== known) ask(this);
    return this.#error;
  }

  settle(error: NonlinError | null): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    this.#causes = [];
    known++;
    this.#resolve?.();
  }

  /** Resolves once `error` is known. */
  async settled(): Promise<void> {
    while (this.error === undefined) await Fate.#source(this).#known();
  }

  /** Finds a fate that `fate` depends on, that has no causes itself and is not known. */
  static #source(fate: Fate): Fate {
    let source = fate;
    for (let cause = source.#open(); cause; cause = source.#open()) source = cause;
    return source;
  }

  #open(): Fate | undefined {
    return this.#causes.find((cause) => cause.error === undefined);
  }

  #known(): Promise<void> {
    return (this.#settled ??= new Promise((resolve) => {
      this.#resolve = resolve;
    }));
  }

  /**
   * Updates all causes of `root`, direct and indirect. Chains may be long, so this uses a loop instead of recursion.
   */
  static ask(root: Fate): void {
    const stack = [root];
    for (let fate = stack.at(-1); fate; fate = stack.at(-1)) {
      const depth = stack.length;
      if (fate.#asked !== known) {
        fate.#asked = known;
        for (const cause of fate.#causes) {
          if (cause.#error === undefined && cause.#causes.length > 0 && cause.#asked !== known)
            stack.push(cause);
        }
        if (stack.length > depth) continue;
      }
      stack.pop();
      fate.#conclude();
    }
  }

  #conclude(): void {
    if (this.#error !== undefined || this.#causes.length === 0) return;
    for (const cause of this.#causes) {
      if (!cause.#error) continue;
      this.settle(cause.#error);
      return;
    }
    const open = this.#causes.filter((cause) => cause.#error === undefined);
    if (open.length === 0) this.settle(null);
    else if (open.length < this.#causes.length) this.#causes = open;
  }
}

function ask(fate: Fate): void {
  Fate.ask(fate);
}

/** The fate of memory that depends on all of `fates`. */
export function joined(fates: readonly Fate[]): Fate {
  const distinct = [...new Set(fates)];
  const [only] = distinct;
  return only && distinct.length === 1 ? only : new Fate(distinct);
}

/** A fate that is known from the beginning. */
export function failed(error: NonlinError): Fate {
  const fate = new Fate();
  fate.settle(error);
  return fate;
}

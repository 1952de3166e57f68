// Whether memory can be used that earlier WebGPU calls wrote: the browser reports their errors later. That answer is the
// fate of the memory.
import type { NonlinError } from '../core/errors.ts';

/** Raised whenever a fate becomes known, so that none is asked again before. */
let known = 0;

/**
 * Whether what some WebGPU calls wrote can be used. Every buffer that they wrote refers to it, and what is computed from
 * those to a fate that depends on it: nothing has to be told when it becomes known.
 */
export class Fate {
  /** Whether it is likely enough to turn out badly that what cannot be undone waits for it. */
  doubtful: boolean;
  #error: NonlinError | null | undefined = undefined;
  #causes: Fate[];
  #asked = -1;
  #settled: Promise<void> | null = null;
  #resolve: (() => void) | null = null;

  /** `causes`: the fates it depends on; without any it is settled by `settle`. */
  constructor(causes: Fate[] = []) {
    this.#causes = causes;
    this.doubtful = causes.some((cause) => cause.doubtful);
  }

  /** What went wrong; null where nothing did, undefined as long as that is not known. */
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

  /** A fate without causes that `fate` depends on and that is not known. */
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

  /** Brings the causes of `root`, and theirs, up to date. A chain may be long, so it is not walked by recursion. */
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

/** The fate of what depends on all of `fates`. */
export function joined(fates: readonly Fate[]): Fate {
  const distinct = [...new Set(fates)];
  const [only] = distinct;
  return only && distinct.length === 1 ? only : new Fate(distinct);
}

/** A fate that is known already. */
export function failed(error: NonlinError): Fate {
  const fate = new Fate();
  fate.settle(error);
  return fate;
}

// What the rest of the package tells a step that is being captured. Without one, each place costs a look at a variable.
import type { Key } from './random.ts';
import type { Device } from './device.ts';
import type { Storage } from './storage.ts';
import type { Tensor } from './tensor.ts';

/** Work of the host that is done anew before each replay, in the order in which it was done. */
export interface HostWork {
  /** Throws as the function would, before anything is done. False: the launches would be others now. */
  readonly check?: () => boolean;
  readonly run: () => void;
}

/** A step that is being captured. */
export interface Capturing {
  /** Throws: the function calls what a replay cannot do. */
  refuse(op: string, expected: string): never;
  /** Throws if an op runs on another device than the step. */
  runsOn(op: string, device: Device): void;
  /** The function depends on whether a tensor needs a gradient. */
  readsRequiresGrad(tensor: Tensor, value: boolean): void;
  /** The function depends on the gradient that a tensor has, unless it has set it before. */
  readsGrad(tensor: Tensor, grad: Tensor | null): void;
  /** The function is about to set the gradient of a tensor. `clears`: it disposes of the one that is there. */
  setsGrad(tensor: Tensor, clears: boolean): void;
  /** The function depends on the mode of a module. */
  readsMode(module: { readonly training: boolean }, training: boolean): void;
  /** What is concluded from the values of an input that the host knows; false where it does not know them. */
  concludes(storage: Storage, test: (host: Int32Array) => boolean): boolean;
  /** Memory that is written from replay to replay, although it was made in the function. */
  keepsState(tensor: Tensor): void;
  /** Options of a launch that are others in each replay: `next` gives those of the current one. */
  changes(options: object, next: () => object): void;
  host(work: HostWork): void;
}

/** Makes options from a random key. */
export type FromKey<T extends object> = (key: Key) => T;

let current: Capturing | null = null;

/** The step that is being captured, if one is. */
export function capturing(): Capturing | null {
  return current;
}

/** Runs work of the host whose effect a captured step has in each replay. */
export function hostWork(run: () => void): void {
  const step = current;
  if (!step) {
    run();
    return;
  }
  step.host({ run });
  // What it consists of is not done a second time.
  current = null;
  try {
    run();
  } finally {
    current = step;
  }
}

/** Runs `fn` as the function of a step that is captured. */
export function whileCapturing<T>(step: Capturing, fn: () => T): T {
  current = step;
  try {
    return fn();
  } finally {
    current = null;
  }
}

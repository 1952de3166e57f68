// What a captured function depends on besides its inputs, and what the host does in each replay.
import type { Capturing, HostWork } from '../core/capturing.ts';
import type { Device } from '../core/device.ts';
import { DeviceMismatchError, OptionError, type NonlinError } from '../core/errors.ts';
import { keep } from '../core/scope.ts';
import type { Storage } from '../core/storage.ts';
import type { Tensor } from '../core/tensor.ts';

/** How a function uses the gradient of a tensor. */
interface GradUse {
  /** Whether it looks at the gradient that was there before it sets one: that, and its memory. */
  readonly relies: boolean;
  readonly before: Tensor | null;
  readonly memory: Storage | null;
  /** Whether it disposes of the gradient that was there. */
  readonly clears: boolean;
}

/** What is known of the gradient of a tensor before and after the function. */
interface GradRule {
  readonly tensor: Tensor;
  /** Whether there has to be a gradient before; null: it makes no difference. */
  readonly needed: boolean | null;
  /** The memory that the launches use of it. */
  readonly memory: Storage | null;
  readonly clears: boolean;
  /** Whether there is another gradient afterwards, or none: its memory, and the tensor of it. */
  readonly sets: boolean;
  readonly after: Storage | null;
  grad: Tensor | null;
}

export class Watcher implements Capturing {
  /** The first call that a replay cannot do. */
  refused: NonlinError | null = null;
  readonly changing = new Map<object, () => object>();
  readonly #device: Device;
  /** The inputs' memory, and what the host knows of those of the first call. */
  readonly #inputs: readonly Storage[];
  readonly #given: readonly Storage[];
  readonly #keepState: (storage: Storage) => void;
  readonly #needs = new Map<Tensor, boolean>();
  readonly #grads = new Map<Tensor, GradUse>();
  readonly #modes = new Map<{ readonly training: boolean }, boolean>();
  readonly #conclusions: {
    input: number;
    test: (host: Int32Array) => boolean;
    result: boolean;
  }[] = [];
  readonly #work: HostWork[] = [];
  #rules: GradRule[] = [];

  constructor(
    device: Device,
    inputs: readonly Storage[] = [],
    given: readonly Storage[] = [],
    keepState: (storage: Storage) => void = () => undefined,
  ) {
    this.#device = device;
    this.#inputs = inputs;
    this.#given = given;
    this.#keepState = keepState;
  }

  refuse(op: string, expected: string): never {
    const error = new OptionError({ op, expected, received: 'a call of it' });
    this.refused ??= error;
    throw error;
  }

  /** Runs the function. What it was refused is thrown, even if it has caught it. */
  guard<T>(fn: () => T): T {
    try {
      return fn();
    } finally {
      if (this.refused) {
        // eslint-disable-next-line no-unsafe-finally -- it comes before what the function has made of it
        throw this.refused;
      }
    }
  }

  runsOn(op: string, device: Device): void {
    if (device === this.#device) return;
    const error = new DeviceMismatchError({
      op,
      expected: `tensors on ${this.#device.name}, as the inputs of the captured step`,
      received: `some on ${device.name}`,
    });
    this.refused ??= error;
    throw error;
  }

  readsRequiresGrad(tensor: Tensor, value: boolean): void {
    if (!this.#needs.has(tensor)) this.#needs.set(tensor, value);
  }

  readsGrad(tensor: Tensor, grad: Tensor | null): void {
    if (this.#grads.has(tensor)) return;
    this.#grads.set(tensor, { relies: true, before: grad, memory: memoryOf(grad), clears: false });
  }

  setsGrad(tensor: Tensor, clears: boolean): void {
    if (!this.#grads.has(tensor))
      this.#grads.set(tensor, { relies: false, before: null, memory: null, clears });
  }

  readsMode(module: { readonly training: boolean }, training: boolean): void {
    if (!this.#modes.has(module)) this.#modes.set(module, training);
  }

  concludes(storage: Storage, test: (host: Int32Array) => boolean): boolean {
    const input = this.#inputs.indexOf(storage);
    const given = this.#given[input];
    if (!given) return false;
    const result = given.host !== null && test(given.host);
    this.#conclusions.push({ input, test, result });
    return result;
  }

  keepsState(tensor: Tensor): void {
    this.#keepState(tensor.storage('capture'));
  }

  changes(options: object, next: () => object): void {
    this.changing.set(options, next);
  }

  host(work: HostWork): void {
    this.#work.push(work);
  }

  /**
   * Called when the function has returned and what it made is disposed of. `retain` keeps memory for later replays, `isUsed` tells
   * whether the launches use memory that was there before.
   */
  end(
    inputs: readonly Tensor[],
    retain: (storage: Storage) => void,
    isUsed: (storage: Storage) => boolean,
  ): void {
    for (const tensor of this.#needs.keys())
      if (tensor.disposed || inputs.includes(tensor)) this.#needs.delete(tensor);
    for (const [tensor, { relies, before, memory, clears }] of this.#grads) {
      if (tensor.disposed || inputs.includes(tensor)) continue;
      const { grad } = tensor;
      const sets = !relies || grad !== before;
      const after = sets ? memoryOf(grad) : null;
      if (after) retain(after);
      this.#rules.push({
        tensor,
        needed: relies ? before !== null : null,
        memory: memory && isUsed(memory) ? memory : null,
        clears: clears || before?.disposed === true,
        sets,
        after,
        grad: after ? grad : null,
      });
    }
    this.#grads.clear();
  }

  /** Whether the function would launch the same again. Throws what it would throw before it launches anything. */
  holds(inputs: readonly Storage[]): boolean {
    for (const [tensor, value] of this.#needs) if (tensor.requiresGrad !== value) return false;
    for (const [module, training] of this.#modes) if (module.training !== training) return false;
    for (const { tensor, needed, memory } of this.#rules) {
      const { grad } = tensor;
      if (needed !== null && needed !== (grad !== null)) return false;
      if (memory && memoryOf(grad) !== memory) return false;
    }
    for (const { input, test, result } of this.#conclusions) {
      const host = inputs[input]?.host ?? null;
      if ((host !== null && test(host)) !== result) return false;
    }
    for (const { check } of this.#work) if (check && !check()) return false;
    return true;
  }

  /** What the host does before the launches. */
  work(): void {
    for (const { run } of this.#work) run();
  }

  /** Gives tensors the gradients that the launches have written. */
  setGrads(): void {
    for (const rule of this.#rules) {
      const { tensor, sets, after, clears } = rule;
      if (!sets) continue;
      const before = tensor.grad;
      if (before && before === rule.grad && !before.disposed) continue;
      if (clears) before?.dispose();
      if (after && rule.grad?.disposed !== false)
        rule.grad = keep(tensor.over(after.retain(), tensor.shape, tensor.dtype));
      tensor.grad = rule.grad;
    }
  }
}

function memoryOf(grad: Tensor | null): Storage | null {
  return grad && !grad.disposed ? grad.storage('capture') : null;
}

// The base class of modules: parameters, state dict, train and eval mode.
import { noGrad } from '../core/autograd.ts';
import { capturing } from '../core/capturing.ts';
import { describe } from '../core/describe.ts';
import { isFloat, type FloatDType } from '../core/dtype.ts';
import { DTypeError, OptionError } from '../core/errors.ts';
import { isTensor } from '../core/is-tensor.ts';
import { undone } from '../core/scope.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkTensor } from '../core/validate.ts';
import { checkBoolean, checkOneOf, isPlain } from '../core/validate-options.ts';
import { castTo } from '../kernels/pointwise/basic.ts';
import { loadState, type LoadStateOptions, type LoadStateResult } from './load-state.ts';
import type { FusedActivation } from '../define/activation.ts';
import type { ParamSpecs } from '../define/params.ts';

/** A module, whatever its forward takes and returns. */
export type AnyModule = Module<unknown, never[]>;

/** Runs another module's kernel with an activation and its options as a part of it. */
export type Fused = (run: <S extends ParamSpecs>(options: FusedActivation<S>) => Tensor) => Tensor;

const NOT_FUSED: Fused | null = null;

/** What a module of one tensor is to those that call it. */
export interface UnaryModule {
  /** What the module computes. */
  forward(x: Tensor): Tensor;
}

/** What a public field holds, and its name in the state. */
interface Field {
  readonly name: string;
  readonly value: unknown;
}

/**
 * Base of all modules: a subclass computes in `forward`, a tensor unless it says otherwise. As in PyTorch, what its fields hold
 * belongs to it under the field's name: modules, and tensors made with `requiresGrad`, which are learned and stay so when they are
 * frozen. `parameter`, `child` and `buffer` give another name, and are the way of private `#` fields, which nobody else sees, and of
 * tensors that are not learned. Lists and objects of modules are not looked into: `ModuleList` and `ModuleDict` are for those.
 *
 * @example
 * class Residual extends nn.Module {
 *   fc = new nn.Linear(8, 8);
 *   scale = tensor([0.5], { requiresGrad: true });
 *   override forward(x: Tensor): Tensor {
 *     return add(x, mul(relu(this.fc.forward(x)), this.scale));
 *   }
 * }
 * Object.keys(new Residual().stateDict()); // ['scale', 'fc.weight', 'fc.bias']
 */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- a subclass names what its forward takes and returns
export abstract class Module<Result = Tensor, Inputs extends readonly unknown[] = Tensor[]> {
  #training = true;
  readonly #parameters = new Map<string, Tensor>();
  readonly #buffers = new Map<string, Tensor>();
  readonly #children = new Map<string, AnyModule>();
  readonly #fields = new Map<string, Field>();
  #visited = false;

  /** Whether the module behaves as in training (dropout); see `train` and `eval`. */
  get training(): boolean {
    capturing()?.readsMode(this, this.#training);
    return this.#training;
  }

  set training(value: boolean) {
    this.#training = value;
  }

  /** What the module computes. */
  abstract forward(...inputs: Inputs): Result;

  /** @internal What the module does, for the kernel of the module before it; null where it is more than an activation. */
  get fused(): Fused | null {
    return NOT_FUSED;
  }

  /** Registers a learned tensor under a name and returns it. */
  protected parameter(name: string, tensor: Tensor): Tensor {
    checkTensor('Module.parameter', name, tensor);
    this.#scan();
    tensor.requiresGrad = true;
    this.#parameters.set(name, tensor);
    return tensor;
  }

  /** Registers a tensor that belongs to the state but is not learned. */
  protected buffer(name: string, tensor: Tensor): Tensor {
    checkTensor('Module.buffer', name, tensor, ['float32', 'float16', 'int32']);
    this.#scan();
    this.#buffers.set(name, tensor);
    return tensor;
  }

  /** Registers a child module under a name and returns it. */
  protected child<M extends AnyModule>(name: string, module: M): M {
    checkIsModule('Module.child', name, module);
    this.#scan();
    this.#children.set(name, module);
    return module;
  }

  /** Child modules in order. */
  children(): AnyModule[] {
    return this.namedChildren().map(([, child]) => child);
  }

  /** Child modules in order, by name. */
  namedChildren(): [string, AnyModule][] {
    this.#scan();
    return [...this.#children];
  }

  /** Learned tensors of this module and its children, by PyTorch's dotted names: one that has several names by its first. */
  namedParameters(prefix = ''): [string, Tensor][] {
    const seen = new Set<Tensor>();
    return this.#collect(prefix, (module) => [module.#parameters]).filter(
      ([, tensor]) => !seen.has(tensor) && seen.add(tensor),
    );
  }

  /** Learned tensors of this module and its children, each once. */
  parameters(): Tensor[] {
    return this.namedParameters().map(([, tensor]) => tensor);
  }

  /** All state by name, as PyTorch names it, in its order. The tensors are the module's own, not copies. */
  stateDict(): Record<string, Tensor> {
    return Object.fromEntries(this.#collect('', (module) => [module.#parameters, module.#buffers]));
  }

  /**
   * Copies values into the module's tensors. Shapes, dtypes and devices must match, and names too. With `strict: false` names
   * of one side only are left alone; with `cast: true` float16 and float32 are converted into each other. Nothing is copied unless
   * everything fits. Returns the names of one side only, as PyTorch does.
   */
  loadStateDict(
    state: Readonly<Record<string, Tensor>>,
    options: LoadStateOptions = {},
  ): LoadStateResult {
    checkIsState(state);
    return loadState(this.stateDict(), state, options);
  }

  /**
   * Converts learned tensors, buffers of floats and gradients to a dtype, in place: optimizers go on with the same tensors, and
   * their moments stay float32. Each number is rounded once. Returns the module. Inputs have to be of that dtype then; see `cast`.
   */
  to(dtype: FloatDType): this {
    checkOneOf('to', 'dtype', dtype, ['float32', 'float16']);
    capturing()?.refuse('to', 'no module converted in a captured step');
    const own = Object.entries(this.stateDict()).flatMap(([name, tensor]): [string, Tensor][] => [
      [name, tensor],
      ...(tensor.grad ? [[`${name}.grad`, tensor.grad] as [string, Tensor]] : []),
    ]);
    const names = new Map(own.map(([name, tensor]) => [tensor, name]));
    const others = [...names].filter(([one]) => isFloat(one.dtype) && one.dtype !== dtype);
    for (const [tensor, name] of others) tensor.storage('to', name);
    const converted = noGrad(() => undone(() => others.map(([one]) => castTo(one, dtype))));
    others.forEach(([tensor], i) => {
      const by = converted[i];
      if (by) tensor.become(by);
    });
    return this;
  }

  /** Sets training mode, here and in all children. */
  train(mode = true): this {
    checkBoolean('train', 'mode', mode);
    this.training = mode;
    this.#visit(() => {
      for (const child of this.children()) child.train(mode);
    });
    return this;
  }

  /** Sets evaluation mode, here and in all children. */
  eval(): this {
    return this.train(false);
  }

  /** Clears the gradients of all parameters and frees their memory. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.zeroGrad();
  }

  /** Frees the memory of all parameters, buffers and gradients, and of what else its modules keep. */
  dispose(): void {
    this.#scan();
    for (const parameter of this.#parameters.values()) parameter.zeroGrad();
    for (const tensor of [...this.#parameters.values(), ...this.#buffers.values()])
      tensor.dispose();
    this.#visit(() => {
      for (const child of this.#children.values()) child.dispose();
    });
  }

  #collect(
    prefix: string,
    pick: (module: AnyModule) => readonly ReadonlyMap<string, Tensor>[],
  ): [string, Tensor][] {
    this.#scan();
    const own = pick(this)
      .flatMap((tensors) => [...tensors])
      .map(([name, tensor]): [string, Tensor] => [prefix + name, tensor]);
    const below = this.#visit(() =>
      [...this.#children].flatMap(([name, child]) => child.#collect(`${prefix}${name}.`, pick)),
    );
    return [...own, ...below];
  }

  /** Runs what goes through all modules below, in which this one must not be. */
  #visit<T>(fn: () => T): T {
    if (this.#visited) {
      throw new OptionError({
        op: 'Module',
        expected: 'modules that do not contain themselves',
        received: `a ${this.constructor.name} that does`,
        hint: 'a private # field can hold a module that is no child',
      });
    }
    this.#visited = true;
    try {
      return fn();
    } finally {
      this.#visited = false;
    }
  }

  /** Registers what public fields hold, and forgets what they held before. */
  #scan(): void {
    const now = new Map(Object.entries(this) as [string, unknown][]);
    for (const [field, { name }] of this.#fields) {
      if (now.has(field)) continue;
      this.#forget(name);
      this.#fields.delete(field);
    }
    for (const [field, value] of now) this.#take(field, value);
  }

  #take(field: string, value: unknown): void {
    const before = this.#fields.get(field);
    if (before?.value === value) return;
    const name = before?.name ?? this.#nameOf(value) ?? field;
    const kept = isTensor(value) && [this.#parameters, this.#buffers].find((map) => map.has(name));
    if (value instanceof Module) {
      if (!this.#children.has(name)) this.#forget(name);
      this.#children.set(name, value as AnyModule);
    } else if (isTensor(value) && (kept || value.learned)) {
      (kept || this.#parameters).set(name, value);
    } else {
      if (before) this.#forget(name);
      this.#fields.delete(field);
      return;
    }
    this.#fields.set(field, { name, value });
  }

  /** The name under which the subclass has registered a value, and that is no other field's. */
  #nameOf(value: unknown): string | undefined {
    const maps = [this.#parameters, this.#buffers, this.#children];
    const taken = [...this.#fields.values()].map(({ name }) => name);
    return maps
      .flatMap((map) => [...map])
      .find(([name, one]) => one === value && !taken.includes(name))?.[0];
  }

  #forget(name: string): void {
    for (const map of [this.#parameters, this.#buffers, this.#children]) map.delete(name);
  }
}

function checkIsState(state: unknown): void {
  if (isPlain(state)) return;
  throw new OptionError({
    op: 'loadStateDict',
    argument: 'state',
    expected: 'tensors by name, as stateDict() gives them',
    received: state instanceof Module ? 'a module' : describe(state),
    ...(state instanceof Map ? { hint: 'Object.fromEntries(map) makes one' } : {}),
  });
}

export function checkIsModule(
  op: string,
  argument: string,
  value: unknown,
): asserts value is AnyModule {
  if (!(value instanceof Module))
    throw new DTypeError({ op, argument, expected: 'a module', received: describe(value) });
}

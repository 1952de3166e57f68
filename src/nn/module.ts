// The base class of modules: parameters, state dict, train and eval mode.
import { noGrad } from '../core/autograd.ts';
import { capturing } from '../core/capturing.ts';
import { describe } from '../core/describe.ts';
import { DTypeError, OptionError } from '../core/errors.ts';
import { copyAll } from '../kernels/pointwise/basic.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkDevice, checkSameDType, checkShapeIs, checkTensor } from '../core/validate.ts';
import { checkBoolean, checkOptionNames, isPlain } from '../core/validate-options.ts';
import type { Activation } from '../define/activation.ts';
import type { ParamOptions, ParamSpecs } from '../define/params.ts';

/** A module, whatever its forward takes and returns. */
export type AnyModule = Module<unknown, never[]>;

/** Runs another module's kernel with an activation and its options as a part of it. */
export type Fused = (
  run: <S extends ParamSpecs>(activation: Activation<S>, options: ParamOptions<S>) => Tensor,
) => Tensor;

const NOT_FUSED: Fused | null = null;

/** What a module of one tensor is to those that call it. */
export interface UnaryModule {
  forward(x: Tensor): Tensor;
}

/** Base of all modules. A subclass registers its tensors and children, and computes in `forward`: a tensor, unless it says so. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- a subclass names what its forward takes and returns
export abstract class Module<Result = Tensor, Inputs extends readonly unknown[] = Tensor[]> {
  #training = true;
  readonly #parameters = new Map<string, Tensor>();
  readonly #buffers = new Map<string, Tensor>();
  readonly #children = new Map<string, AnyModule>();

  /** Whether the module behaves as in training (dropout); see `train` and `eval`. */
  get training(): boolean {
    capturing()?.readsMode(this, this.#training);
    return this.#training;
  }

  set training(value: boolean) {
    this.#training = value;
  }

  abstract forward(...inputs: Inputs): Result;

  /** @internal What the module does, for the kernel of the module before it; null where it is more than an activation. */
  get fused(): Fused | null {
    return NOT_FUSED;
  }

  /** Registers a learned tensor under a name and returns it. */
  protected parameter(name: string, tensor: Tensor): Tensor {
    checkTensor('Module.parameter', name, tensor);
    tensor.requiresGrad = true;
    this.#parameters.set(name, tensor);
    return tensor;
  }

  /** Registers a tensor that belongs to the state but is not learned. */
  protected buffer(name: string, tensor: Tensor): Tensor {
    checkTensor('Module.buffer', name, tensor, ['float32', 'float16', 'int32']);
    this.#buffers.set(name, tensor);
    return tensor;
  }

  /** Registers a child module under a name and returns it. */
  protected child<M extends AnyModule>(name: string, module: M): M {
    checkIsModule('Module.child', name, module);
    this.#children.set(name, module);
    return module;
  }

  /** Child modules in order. */
  children(): AnyModule[] {
    return [...this.#children.values()];
  }

  /** Learned tensors of this module and its children, by PyTorch's dotted names. */
  namedParameters(prefix = ''): [string, Tensor][] {
    return this.#collect(prefix, (module) => module.#parameters);
  }

  /** Learned tensors of this module and its children. */
  parameters(): Tensor[] {
    return this.namedParameters().map(([, tensor]) => tensor);
  }

  /** All state by name, as PyTorch names it. The tensors are the module's own, not copies. */
  stateDict(): Record<string, Tensor> {
    return Object.fromEntries(
      this.#collect('', (module) => new Map([...module.#parameters, ...module.#buffers])),
    );
  }

  /**
   * Copies values into the module's tensors. Shapes, dtypes and devices must match, and names too unless `strict` is false:
   * then those of one side only are left alone. Nothing is copied unless everything fits. Returns such names, as PyTorch does.
   */
  loadStateDict(
    state: Readonly<Record<string, Tensor>>,
    options: { strict?: boolean } = {},
  ): { missingKeys: string[]; unexpectedKeys: string[] } {
    checkOptionNames('loadStateDict', options, ['strict']);
    const { strict = true } = options;
    checkBoolean('loadStateDict', 'strict', strict);
    checkIsState(state);
    const own = this.stateDict();
    const missingKeys = Object.keys(own).filter((name) => !Object.hasOwn(state, name));
    const unexpectedKeys = Object.keys(state).filter((name) => !Object.hasOwn(own, name));
    if (strict && (missingKeys.length > 0 || unexpectedKeys.length > 0)) {
      throw new OptionError({
        op: 'loadStateDict',
        argument: 'state',
        expected: `the names ${Object.keys(own).join(', ') || '(none)'}`,
        received: [
          missingKeys.length > 0 ? `none of ${missingKeys.join(', ')}` : '',
          unexpectedKeys.length > 0 ? `unknown ${unexpectedKeys.join(', ')}` : '',
        ]
          .filter((part) => part !== '')
          .join('; '),
        hint: 'or { strict: false }',
      });
    }
    const there = Object.entries(own).filter(([name]) => Object.hasOwn(state, name));
    const pairs = there.map(([name, to]): [Tensor, Tensor] => {
      const from = state[name];
      to.storage('loadStateDict', name);
      to.device.check('loadStateDict');
      checkTensor('loadStateDict', name, from, [to.dtype]);
      checkDevice('loadStateDict', name, from, to.device);
      checkSameDType('loadStateDict', name, from, to.dtype);
      checkShapeIs('loadStateDict', name, from, to.shape);
      return [from, to];
    });
    noGrad(() => {
      copyAll(pairs.filter(([from, to]) => from !== to));
    });
    return { missingKeys, unexpectedKeys };
  }

  /** Sets training mode, here and in all children. */
  train(mode = true): this {
    checkBoolean('train', 'mode', mode);
    this.training = mode;
    for (const child of this.#children.values()) child.train(mode);
    return this;
  }

  /** Sets evaluation mode, here and in all children. */
  eval(): this {
    return this.train(false);
  }

  /** Clears the gradients of all parameters and frees their memory. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) clearGrad(parameter);
  }

  /** Frees the memory of all parameters, buffers and gradients, and of what else its modules keep. */
  dispose(): void {
    for (const parameter of this.#parameters.values()) clearGrad(parameter);
    for (const tensor of [...this.#parameters.values(), ...this.#buffers.values()])
      tensor.dispose();
    for (const child of this.#children.values()) child.dispose();
  }

  #collect(
    prefix: string,
    pick: (module: AnyModule) => ReadonlyMap<string, Tensor>,
  ): [string, Tensor][] {
    const own = [...pick(this)].map(([name, tensor]): [string, Tensor] => [prefix + name, tensor]);
    const below = [...this.#children].flatMap(([name, child]) =>
      child.#collect(`${prefix}${name}.`, pick),
    );
    return [...own, ...below];
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

/** Clears a gradient and frees its memory. */
export function clearGrad(tensor: Tensor): void {
  capturing()?.setsGrad(tensor, true);
  tensor.grad?.dispose();
  tensor.grad = null;
}

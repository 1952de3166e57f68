// Makes the module class of a declared op. Its constructor takes the options, as in PyTorch.
import { Module, type Fused } from '../nn/module.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkFunction, checkHas, checkIsOptions } from '../core/validate-options.ts';
import type { Activation, InPlaceActivation } from './activation.ts';
import type { InPlaceOption } from './in-place.ts';
import type { ParamOptions, ParamSpecs } from './params.ts';

/** A module of one tensor. */
export interface ActivationModule extends Module {
  forward(x: Tensor): Tensor;
}

/**
 * The module class of an elementwise activation: `class ReLU extends activationModule(relu) {}`.
 *
 * @example class Squash extends activationModule(squash) {}
 * @throws `OptionError` for what is no activation. A module checks its options when it is made.
 */
export function activationModule<S extends ParamSpecs>(
  activation: InPlaceActivation<S>,
): new (options?: ParamOptions<S> & InPlaceOption) => ActivationModule;
export function activationModule<S extends ParamSpecs>(
  activation: Activation<S>,
): new (options?: ParamOptions<S>) => ActivationModule;
export function activationModule<S extends ParamSpecs>(
  activation: Activation<S>,
): new (options?: ParamOptions<S>) => ActivationModule {
  const op = 'activationModule';
  checkFunction(op, 'activation', activation);
  checkHas(op, 'activation', activation.epilogue, 'resolve', 'an elementwise activation');
  return class Plain extends Module {
    readonly #options: ParamOptions<S>;

    constructor(options: ParamOptions<S> = {}) {
      super();
      activation.epilogue.resolve(activation.op, options);
      this.#options = options;
    }

    override get fused(): Fused | null {
      // A subclass may compute something else.
      if (Reflect.get(this, 'forward') !== Reflect.get(Plain.prototype, 'forward')) return null;
      return (run) => run({ activation, activationOptions: this.#options });
    }

    override forward(x: Tensor): Tensor {
      return activation(x, this.#options);
    }
  };
}

/** The name of a module's op, for error messages. */
export function nameOf(fn: (...args: never[]) => Tensor): string {
  return 'op' in fn ? String(fn.op) : fn.name;
}

/** The options that a module passes to its op. Their names are checked at the first `forward`. */
export function optionsFor<O extends object>(op: string, options: O | undefined): O {
  if (options !== undefined) checkIsOptions(op, options);
  return { ...options } as O;
}

/** A module of an input and a target. */
export interface LossModule extends Module {
  forward(input: Tensor, target: Tensor): Tensor;
}

/** A module of three tensors. */
export interface TripleLossModule extends Module {
  forward(first: Tensor, second: Tensor, third: Tensor): Tensor;
}

/** A module of four tensors. */
export interface QuadrupleLossModule extends Module {
  forward(first: Tensor, second: Tensor, third: Tensor, fourth: Tensor): Tensor;
}

/** The module class of a function of one tensor whose options can all be left out. They are checked at the first `forward`. */
export function optionalModule<O extends object>(
  fn: (x: Tensor, options?: O) => Tensor,
): new (options?: Omit<O, 'out'>) => ActivationModule {
  return functionModule(fn as (x: Tensor, options: O) => Tensor) as new (
    options?: Omit<O, 'out'>,
  ) => ActivationModule;
}

/** A module of a gated unit: of the halves of one tensor, or of two. */
export interface GatedModule extends Module {
  forward(x: Tensor, up?: Tensor): Tensor;
}

/** The module class of a gated unit of one tensor or two, with the options of either. They are checked at each `forward`. */
export function gatedModule<P extends object, O extends object>(fn: {
  (gate: Tensor, up: Tensor, options?: P): Tensor;
  (x: Tensor, options?: O): Tensor;
}): new (options?: Omit<P & O, 'out'>) => GatedModule {
  return class extends Module {
    readonly #options: P & O;

    constructor(options?: Omit<P & O, 'out'>) {
      super();
      this.#options = optionsFor(nameOf(fn), options as (P & O) | undefined);
    }

    override forward(x: Tensor, up?: Tensor): Tensor {
      return up === undefined ? fn(x, this.#options) : fn(x, up, this.#options);
    }
  };
}

/** The module class of a function of one tensor with required options. They are checked at the first `forward`. */
export function functionModule<O extends object>(
  fn: (x: Tensor, options: O) => Tensor,
): new (options: Omit<O, 'out'>) => ActivationModule {
  return class extends Module {
    readonly #options: O;

    constructor(options: Omit<O, 'out'>) {
      super();
      this.#options = optionsFor(nameOf(fn), options as O);
    }

    override forward(x: Tensor): Tensor {
      return fn(x, this.#options);
    }
  };
}

/** A loss of three inputs, the last of which may be a number. */
export interface NumberLossModule extends Module {
  forward(first: Tensor, second: Tensor, third: Tensor | number): Tensor;
}

/**
 * The module class of a loss of input and target, or of three or four inputs.
 *
 * @example class RobustLoss extends lossModule(robust) {}
 * @throws `OptionError` for what is no function.
 */
export function lossModule<O extends object>(
  loss: (first: Tensor, second: Tensor, third: Tensor | number, options?: O) => Tensor,
): new (options?: Omit<O, 'out'>) => NumberLossModule;
export function lossModule<O extends object>(
  loss: (input: Tensor, target: Tensor, options?: O) => Tensor,
): new (options?: Omit<O, 'out'>) => LossModule;
export function lossModule<O extends object>(
  loss: (first: Tensor, second: Tensor, third: Tensor, options?: O) => Tensor,
): new (options?: Omit<O, 'out'>) => TripleLossModule;
export function lossModule<O extends object>(
  loss: (first: Tensor, second: Tensor, third: Tensor, fourth: Tensor, options?: O) => Tensor,
): new (options?: Omit<O, 'out'>) => QuadrupleLossModule;
export function lossModule(
  loss: (...args: never[]) => Tensor,
): new (options?: object) => LossModule & NumberLossModule & QuadrupleLossModule {
  checkFunction('lossModule', 'loss', loss);
  return class extends Module {
    readonly #options: object;

    constructor(options?: object) {
      super();
      this.#options = optionsFor(nameOf(loss), options);
      // Weights are part of the state, as in PyTorch.
      for (const [option, name] of [
        ['weight', 'weight'],
        ['posWeight', 'pos_weight'],
      ] as const) {
        const weight: unknown = Reflect.get(this.#options, option);
        if (weight instanceof Object && 'dtype' in weight) this.buffer(name, weight as Tensor);
      }
    }

    override forward(...inputs: (Tensor | number)[]): Tensor {
      return (loss as (...args: unknown[]) => Tensor)(...inputs, this.#options);
    }
  };
}

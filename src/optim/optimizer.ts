// In: parameters with gradients. Out: the parameters, updated in place by one pointwise kernel each.
import { noGrad } from '../autograd.ts';
import { run } from '../dispatcher.ts';
import { encode } from '../dtype.ts';
import { OptionError } from '../errors.ts';
import { copyOf } from '../kernels/basic.ts';
import type { ParamValues } from '../kernels/params.ts';
import { pointwise, type PointwiseOp } from '../kernels/pointwise.ts';
import { clearGrad } from '../nn/module.ts';
import { keep } from '../scope.ts';
import { fromHost, type Tensor } from '../tensor.ts';
import { checkDevice, checkShapeIs, checkTensor } from '../validate.ts';
import { checkNumber } from '../validate-options.ts';

/** What an optimizer has learned, for a checkpoint: per parameter, in the order given to the constructor. */
export interface OptimizerState {
  /** Updates that each parameter has had. */
  readonly steps: readonly number[];
  /** The moments of each parameter, in float32 and of its shape; none before its first update. */
  readonly state: readonly (readonly Tensor[])[];
}

/** Base of the optimizers. */
export abstract class Optimizer {
  /** Learning rate; may be changed between steps. */
  lr: number;
  protected readonly parameters: readonly Tensor[];
  /** State of each parameter, in float32. */
  readonly #state = new Map<Tensor, Tensor[]>();
  readonly #steps = new Map<Tensor, number>();

  constructor(op: string, parameters: Iterable<Tensor>, lr: number) {
    this.parameters = [...parameters];
    this.lr = lr;
    if (this.parameters.length === 0) {
      throw new OptionError({
        op,
        argument: 'parameters',
        expected: 'at least one tensor',
        received: 'none',
      });
    }
    this.parameters.forEach((parameter, i) => {
      const argument = `parameters[${String(i)}]`;
      checkTensor(op, argument, parameter);
      if (!parameter.requiresGrad || parameter.node) {
        throw new OptionError({
          op,
          argument,
          expected: 'a leaf tensor with requiresGrad',
          received: parameter.node ? 'the result of an op' : 'one without requiresGrad',
        });
      }
    });
  }

  /** Updates every parameter that has a gradient. */
  abstract step(): void;

  /** Clears the gradients and frees their memory. */
  zeroGrad(): void {
    for (const parameter of this.parameters) clearGrad(parameter);
  }

  /** The state of all parameters. The tensors are the optimizer's own, not copies. */
  stateDict(): OptimizerState {
    return {
      steps: this.parameters.map((parameter) => this.#steps.get(parameter) ?? 0),
      state: this.parameters.map((parameter) => [...(this.#state.get(parameter) ?? [])]),
    };
  }

  /**
   * Takes over copies of a state that an optimizer of the same kind and options gave for parameters of the same shapes.
   * Nothing is changed unless everything fits.
   */
  loadStateDict({ steps, state }: OptimizerState): void {
    const count = this.parameters.length;
    if (steps.length !== count || state.length !== count) {
      throw new OptionError({
        op: 'loadStateDict',
        argument: 'state',
        expected: `the state of ${String(count)} parameters`,
        received: `that of ${String(Math.min(steps.length, state.length))}`,
      });
    }
    this.parameters.forEach((parameter, i) => {
      checkNumber('loadStateDict', `steps[${String(i)}]`, steps[i], { min: 0, integer: true });
      for (const [k, from] of (state[i] ?? []).entries()) {
        const name = `state[${String(i)}][${String(k)}]`;
        checkTensor('loadStateDict', name, from, ['float32']);
        checkDevice('loadStateDict', name, from, parameter.device);
        checkShapeIs('loadStateDict', name, from, parameter.shape);
      }
    });
    noGrad(() => {
      this.parameters.forEach((parameter, i) => {
        const from = state[i] ?? [];
        this.#steps.set(parameter, steps[i] ?? 0);
        if (from.length === 0) {
          for (const tensor of this.#state.get(parameter) ?? []) tensor.dispose();
          this.#state.delete(parameter);
          return;
        }
        const own = this.#stateOf(parameter, from.length);
        own.forEach((to, k) => {
          const tensor = from[k];
          if (tensor && tensor !== to) copyOf(tensor, to);
        });
      });
    });
  }

  /** Frees the optimizer's state, not the parameters. */
  dispose(): void {
    for (const state of this.#state.values()) for (const tensor of state) tensor.dispose();
    this.#state.clear();
  }

  /**
   * Runs `op` over each parameter, its gradient and `slots` state tensors, all but the gradient in place. `paramsOf`
   * gives the options for a parameter's step number, from 1.
   */
  protected update(op: PointwiseOp, slots: number, paramsOf: (step: number) => ParamValues): void {
    for (const parameter of this.parameters) {
      const { grad } = parameter;
      if (!grad) continue;
      const step = (this.#steps.get(parameter) ?? 0) + 1;
      this.#steps.set(parameter, step);
      const state = this.#stateOf(parameter, slots);
      run(
        pointwise,
        { op, params: paramsOf(step), shape: parameter.shape },
        [parameter, grad, ...state],
        [parameter, ...state],
      );
    }
  }

  #stateOf(parameter: Tensor, slots: number): Tensor[] {
    const known = this.#state.get(parameter);
    if (known) return known;
    const { shape, size, device } = parameter;
    const state = Array.from({ length: slots }, () =>
      keep(fromHost(encode('float32', new Float32Array(size)), shape, 'float32', device)),
    );
    this.#state.set(parameter, state);
    return state;
  }
}

// In: parameters with gradients. Out: the parameters, updated in place by one pointwise kernel each.
import { run } from '../dispatcher.ts';
import { encode } from '../dtype.ts';
import { OptionError } from '../errors.ts';
import type { ParamValues } from '../kernels/params.ts';
import { pointwise, type PointwiseOp } from '../kernels/pointwise.ts';
import { clearGrad } from '../nn/module.ts';
import { keep } from '../scope.ts';
import { fromHost, type Tensor } from '../tensor.ts';
import { checkTensor } from '../validate.ts';

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

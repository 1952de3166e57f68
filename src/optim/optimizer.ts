// The base class of optimizers: updates parameters in place, each by one pointwise kernel.
import { noGrad } from '../core/autograd.ts';
import { staged } from '../core/dispatcher.ts';
import { copyOf } from '../kernels/pointwise/basic.ts';
import type { ParamValues } from '../shader/params.ts';
import { pointwise, type PointwiseOp } from '../kernels/pointwise/plan.ts';
import { allocating } from '../core/memory.ts';
import { clearGrad } from '../nn/module.ts';
import { keep, undone } from '../core/scope.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import { checkGrad, checkTensor } from '../core/validate.ts';
import { checkNumber } from '../core/validate-options.ts';
import { checkParameters, checkState } from './checks.ts';

/** What an optimizer has learned, for a checkpoint: per parameter, in the order given to the constructor. */
export interface OptimizerState {
  /** Updates that each parameter has had. */
  readonly steps: readonly number[];
  /** The moments of each parameter, in float32 and of its shape; none before its first update. */
  readonly state: readonly (readonly Tensor[])[];
}

/** Base of the optimizers. */
export abstract class Optimizer {
  protected readonly parameters: readonly Tensor[];
  readonly #op: string;
  readonly #slots: number;
  #lr: number;
  /** State of each parameter, in float32. */
  readonly #state = new Map<Tensor, Tensor[]>();
  readonly #steps = new Map<Tensor, number>();

  /** `slots`: tensors that are kept for each parameter. */
  constructor(op: string, parameters: Iterable<Tensor>, lr: number, slots: number) {
    this.parameters = checkParameters(op, parameters);
    this.#op = op;
    this.#slots = slots;
    this.#lr = checkRate(op, lr);
  }

  /** Learning rate; may be changed between steps. */
  get lr(): number {
    return this.#lr;
  }

  set lr(value: number) {
    this.#lr = checkRate(this.#op, value);
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
  loadStateDict(given: OptimizerState): void {
    checkState(this.#op, given, this.parameters, this.#slots);
    const { steps, state } = given;
    // Copies of all first: memory may run out.
    const own = this.parameters.map((parameter) => this.#state.get(parameter) ?? []);
    const loaded = undone(() =>
      noGrad(() =>
        state.map((tensors, i) =>
          tensors.map((from, k) => (from === own[i]?.[k] ? from : copyOf(from))),
        ),
      ),
    );
    this.parameters.forEach((parameter, i) => {
      const tensors = (loaded[i] ?? []).map(keep);
      for (const before of own[i] ?? []) if (!tensors.includes(before)) before.dispose();
      this.#steps.set(parameter, steps[i] ?? 0);
      if (tensors.length > 0) this.#state.set(parameter, tensors);
      else this.#state.delete(parameter);
    });
  }

  /** Frees the optimizer's state, not the parameters. */
  dispose(): void {
    for (const state of this.#state.values()) for (const tensor of state) tensor.dispose();
    this.#state.clear();
  }

  /**
   * Runs `op` over each parameter, its gradient and its state tensors, all but the gradient in place. `paramsOf`
   * gives the options for a parameter's step number, from 1. A step happens whole or not at all: everything is checked, and
   * all memory is there, before anything is written.
   */
  protected update(op: PointwiseOp, paramsOf: (step: number) => ParamValues): void {
    const name = `${this.#op}.step`;
    this.parameters.forEach((parameter, i) => {
      if (!parameter.grad) return;
      const argument = `parameters[${i}]`;
      checkTensor(name, argument, parameter);
      parameter.device.check(name);
      checkGrad(name, `${argument}.grad`, parameter.grad, parameter);
      this.#state.get(parameter)?.forEach((tensor, k) => {
        tensor.storage(name, `state[${i}][${k}]`);
      });
    });
    const { updates, writes } = undone(() => {
      const updates = this.parameters.flatMap((parameter) => {
        const { grad } = parameter;
        if (!grad) return [];
        const step = (this.#steps.get(parameter) ?? 0) + 1;
        const state = this.#state.get(parameter) ?? newState(name, parameter, this.#slots);
        const outputs = [parameter, ...state];
        // A gradient in memory that is written would be copied on the way.
        const apart = outputs.every(
          (tensor) => !grad.device.overlaps(grad.storage(name), tensor.storage(name)),
        );
        const own = apart ? grad : copyOf(grad);
        const args = { op, params: paramsOf(step), shape: parameter.shape };
        return [
          { parameter, grad: own, step, state, args, inputs: [parameter, own, ...state], outputs },
        ];
      });
      return { updates, writes: staged(pointwise, updates) };
    });
    for (const device of new Set(updates.map(({ parameter }) => parameter.device))) {
      const own = (i: number): boolean => updates[i]?.parameter.device === device;
      // Where a gradient has failed, which may turn out later, no parameter is updated and the step does not count.
      device.begin(name, () => {
        updates.forEach(({ parameter }, i) => {
          if (own(i)) this.#uncount(parameter);
        });
      });
      try {
        updates.forEach(({ parameter, grad, step, state }, i) => {
          if (!own(i)) return;
          this.#state.set(parameter, state.map(keep));
          this.#steps.set(parameter, step);
          writes[i]?.();
          if (grad !== parameter.grad) grad.dispose();
        });
      } finally {
        device.end();
      }
    }
  }

  /** A step of a parameter has not been done. */
  #uncount(parameter: Tensor): void {
    const step = (this.#steps.get(parameter) ?? 1) - 1;
    this.#steps.set(parameter, step);
    if (step > 0) return;
    // As before its first step: the memory of its state may be what could not be had.
    for (const tensor of this.#state.get(parameter) ?? []) tensor.dispose();
    this.#state.delete(parameter);
  }
}

function checkRate(op: string, lr: number): number {
  checkNumber(op, 'lr', lr, { min: 0 });
  return lr;
}

function newState(op: string, { shape, size, device }: Tensor, slots: number): Tensor[] {
  return Array.from({ length: slots }, () => {
    const zeros = allocating(op, 4 * size, () => new Float32Array(size));
    return fromHost(zeros, shape, 'float32', device);
  });
}

// The base class of optimizers: groups of parameters with options, a state for each parameter, and steps that are taken whole
// or not at all.
import { noGrad } from '../core/autograd.ts';
import { capturing, hostWork, type HostWork } from '../core/capturing.ts';
import { copyOf } from '../kernels/pointwise/basic.ts';
import type { ParamValues } from '../shader/params.ts';
import type { PointwiseOp } from '../kernels/pointwise/plan.ts';
import { allocating } from '../core/memory.ts';
import { keep, undone } from '../core/scope.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import { checkGrad, checkTensor } from '../core/validate.ts';
import { checkState, savedOptions } from './checks.ts';
import { writesOf, type Update } from './writes.ts';
import {
  checkOptions,
  checkRate,
  groupOf,
  groupsOf,
  optionsOf,
  type GroupOptions,
  type OptimizerKind,
  type OptimizerParameters,
  type ParamGroup,
  type ParamGroupInit,
} from './groups.ts';

/** The options of a group, and its parameters by their number. */
export type SavedGroup = Readonly<Record<string, unknown>> & { readonly params: readonly number[] };

/** What an optimizer has learned, for a checkpoint: per parameter, in the order of the groups. */
export interface OptimizerState {
  /** Updates that each parameter has had. */
  readonly steps: readonly number[];
  /** The moments of each parameter, in float32 and of its shape; none before its first update. */
  readonly state: readonly (readonly Tensor[])[];
  /** The options of each group: plain values, which JSON keeps. Without them a state leaves the options as they are. */
  readonly paramGroups?: readonly SavedGroup[];
}

/** How the parameters of a group are updated. */
export interface UpdateRule {
  readonly op: PointwiseOp;
  /** Tensors that are kept for each parameter. */
  readonly slots: number;
  /** The op's options in a parameter's step of this number, from 1. `fresh`: its tensors are zeros, made for this step. */
  readonly params: (step: number, fresh: boolean) => ParamValues;
}

/** Base of the optimizers. */
export abstract class Optimizer<O extends GroupOptions = GroupOptions> {
  /** The groups, as PyTorch's `param_groups`: their options may be changed, and hold from the next step on. */
  readonly paramGroups: readonly ParamGroup<O>[];
  readonly #groups: ParamGroup<O>[];
  readonly #kind: OptimizerKind<O>;
  readonly #options: O;
  /** State of each parameter, in float32. */
  readonly #state = new Map<Tensor, Tensor[]>();
  readonly #steps = new Map<Tensor, number>();

  /** @internal */
  constructor(kind: OptimizerKind<O>, parameters: OptimizerParameters<O>, options: object) {
    this.#kind = kind;
    this.#options = optionsOf(kind, options);
    this.#groups = groupsOf(kind, parameters, this.#options);
    this.paramGroups = this.#groups;
  }

  /** @internal How a group is updated, with the options that it has now. */
  protected abstract rule(group: ParamGroup<O>): UpdateRule;

  /** Learning rate of the first group; set, that of all groups. May be changed between steps. */
  get lr(): number {
    return this.#groups[0]?.lr ?? this.#options.lr;
  }

  set lr(value: number) {
    checkRate(this.#kind.op, value);
    hostWork(() => {
      for (const group of this.#groups) group.lr = value;
    });
  }

  /** All parameters, group by group. */
  protected get parameters(): Tensor[] {
    return this.#groups.flatMap(({ params }) => params);
  }

  /** Adds parameters, such as those of layers that were frozen; options that are left out are the optimizer's. */
  addParamGroup(group: ParamGroupInit<O>): void {
    const seen = new Map<Tensor, string>();
    this.#groups.forEach(({ params }, i) => {
      params.forEach((parameter, k) => seen.set(parameter, `paramGroups[${i}].params[${k}]`));
    });
    this.#groups.push(groupOf(this.#kind, group, this.#options, 'group', seen));
  }

  /** Clears the gradients and frees their memory. */
  zeroGrad(): void {
    for (const parameter of this.parameters) parameter.zeroGrad();
  }

  /** The state of all parameters and the options of all groups. The tensors are the optimizer's own, not copies. */
  stateDict(): OptimizerState {
    let first = 0;
    return {
      steps: this.parameters.map((parameter) => this.#steps.get(parameter) ?? 0),
      state: this.parameters.map((parameter) => [...(this.#state.get(parameter) ?? [])]),
      paramGroups: this.#groups.map(({ params, ...options }) => ({
        ...structuredClone(options),
        params: params.map(() => first++),
      })),
    };
  }

  /**
   * Takes over copies of a state that an optimizer of the same kind gave for parameters of the same shapes in the same
   * groups, and the options of the groups, where it has them. Nothing is changed unless everything fits.
   */
  loadStateDict(given: OptimizerState): void {
    const options = savedOptions(this.#kind, given, this.#groups);
    const slots = this.#groups.flatMap(({ params }, i) => {
      const { slots } = this.rule({ ...this.#options, ...options[i], params });
      return params.map(() => slots);
    });
    checkState(this.#kind.op, given, this.parameters, slots);
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
    this.#groups.forEach((group, i) => Object.assign(group, structuredClone(options[i])));
  }

  /** Frees the optimizer's state, not the parameters. */
  dispose(): void {
    for (const state of this.#state.values()) for (const tensor of state) tensor.dispose();
    this.#state.clear();
  }

  /**
   * Updates every parameter that has a gradient. A step happens whole or not at all: everything is checked, and all memory is
   * there, before anything is written.
   */
  step(): void {
    const name = `${this.#kind.op}.step`;
    this.#checkGroups(name);
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
      const updates = this.#groups.flatMap((group) => {
        const { op, slots, params } = this.rule(group);
        return group.params.flatMap((parameter): Update[] => {
          const { grad } = parameter;
          if (!grad) return [];
          const step = (this.#steps.get(parameter) ?? 0) + 1;
          const before = this.#state.get(parameter) ?? [];
          const fresh = before.length < slots;
          const state = [...before, ...newState(name, parameter, slots - before.length)];
          const used = state.slice(0, slots);
          const outputs = [parameter, ...used];
          // A gradient in memory that is written would be copied on the way.
          const apart = outputs.every(
            (tensor) => !grad.device.overlaps(grad.storage(name), tensor.storage(name)),
          );
          const own = apart ? grad : copyOf(grad);
          return [
            {
              parameter,
              grad: own,
              step,
              state,
              op,
              params: params(step, fresh),
              inputs: [parameter, own, ...used],
              outputs,
            },
          ];
        });
      });
      return { updates, writes: writesOf(name, updates) };
    });
    capturing()?.host(this.#again(name, updates));
    for (const device of new Set(updates.map(({ parameter }) => parameter.device))) {
      const all = updates.filter(({ parameter }) => parameter.device === device);
      // Where a gradient has failed, which may turn out later, no parameter is updated and the step does not count.
      device.begin(name, () => {
        for (const { parameter } of all) this.#uncount(parameter);
      });
      try {
        for (const { parameter, step, state } of all) {
          this.#state.set(parameter, state.map(keep));
          this.#steps.set(parameter, step);
        }
        for (const write of writes.get(device) ?? []) write();
        for (const { parameter, grad } of all) if (grad !== parameter.grad) grad.dispose();
      } finally {
        device.end();
      }
    }
  }

  #checkGroups(name: string): void {
    this.#groups.forEach((group, i) => {
      checkOptions(this.#kind, name, group, (option) => `paramGroups[${i}].${option}`, -Infinity);
    });
  }

  /** What a replay of a captured step does in place of `step`: it counts, and computes the options of its launches. */
  #again(name: string, updates: readonly Update[]): HostWork {
    const step = capturing();
    const all = this.parameters;
    const ops = this.#groups.map((group) => this.rule(group).op);
    const now = new Map<Tensor, ParamValues>();
    for (const { parameter, params, state } of updates) {
      step?.changes(params, () => now.get(parameter) ?? params);
      for (const tensor of state) step?.keepsState(tensor);
    }
    return {
      check: () => {
        this.#checkGroups(name);
        return (
          sameItems(this.parameters, all) &&
          this.#groups.every((group, i) => this.rule(group).op === ops[i]) &&
          updates.every(({ parameter, state }) => {
            const own = this.#state.get(parameter) ?? [];
            return sameItems(own, state) && own.every(({ disposed }) => !disposed);
          })
        );
      },
      run: () => {
        const rules = new Map<Tensor, UpdateRule>();
        for (const group of this.#groups) {
          const rule = this.rule(group);
          for (const parameter of group.params) rules.set(parameter, rule);
        }
        for (const { parameter } of updates) {
          const count = (this.#steps.get(parameter) ?? 0) + 1;
          this.#steps.set(parameter, count);
          const params = rules.get(parameter)?.params(count, false);
          if (params) now.set(parameter, params);
        }
      },
    };
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

function newState(op: string, { shape, size, device }: Tensor, slots: number): Tensor[] {
  return Array.from({ length: Math.max(slots, 0) }, () => {
    const zeros = allocating(op, 4 * size, () => new Float32Array(size));
    return fromHost(zeros, shape, 'float32', device);
  });
}

function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

// Checks a state that an optimizer is to take over.
import { describe, kindOf } from '../core/describe.ts';
import { OptionError } from '../core/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkDevice, checkShapeIs, checkTensor } from '../core/validate.ts';
import { checkNumber, checkOptionNames, isPlain } from '../core/validate-options.ts';
import { checkOptions, type GroupOptions, type OptimizerKind, type ParamGroup } from './groups.ts';
import type { OptimizerState } from './optimizer.ts';

const refuse = (argument: string, expected: string, received: string, hint?: string): never => {
  throw new OptionError({
    op: 'loadStateDict',
    argument,
    expected,
    received,
    ...(hint === undefined ? {} : { hint }),
  });
};

/**
 * The options that a saved state has for each group, or the groups' own where it has none. Throws where they are of other
 * groups, or of another kind of optimizer.
 */
export function savedOptions<O extends GroupOptions>(
  kind: OptimizerKind<O>,
  given: unknown,
  groups: readonly ParamGroup<O>[],
): (O & { initialLr?: number })[] {
  const { paramGroups: saved } = Object(given) as Partial<Record<keyof OptimizerState, unknown>>;
  if (saved !== undefined && !(Array.isArray(saved) && saved.length === groups.length)) {
    refuse(
      'paramGroups',
      `the options of ${groups.length} groups`,
      Array.isArray(saved) ? `those of ${saved.length}` : describe(saved),
    );
  }
  let first = 0;
  return groups.map(({ params, ...own }, i) => {
    // What is left of a group without its parameters are its options.
    const before = own as unknown as O;
    const one: unknown = Array.isArray(saved) ? saved[i] : undefined;
    const argument = `paramGroups[${i}]`;
    const from = first;
    first += params.length;
    if (one === undefined && saved === undefined) return before;
    if (!isPlain(one)) return refuse(argument, 'the options of a group', describe(one));
    checkOptionNames(
      'loadStateDict',
      one,
      [...Object.keys(kind.defaults), 'params', 'initialLr'],
      'load it into an optimizer of the kind that it came from',
    );
    const { params: indices, ...options } = one;
    const fits =
      Array.isArray(indices) &&
      indices.length === params.length &&
      indices.every((index, k) => index === from + k);
    if (!fits) {
      refuse(
        `${argument}.params`,
        `the ${params.length} parameters from ${from} on`,
        describe(indices),
      );
    }
    const all: O = { ...before, ...options, ...kind.fixed };
    checkOptions(kind, 'loadStateDict', all, (name) => `${argument}.${name}`);
    return all;
  });
}

/** `slots`: how many tensors the optimizer keeps for each parameter, from its first update on. */
export function checkState(
  op: string,
  given: unknown,
  parameters: readonly Tensor[],
  slots: readonly number[],
): asserts given is OptimizerState {
  const { steps, state } = Object(given) as Partial<Record<keyof OptimizerState, unknown>>;
  if (!Array.isArray(steps) || !Array.isArray(state)) {
    return refuse(
      'state',
      'what stateDict() of an optimizer gives',
      kindOf(given) === 'Object' ? 'an object without steps and state' : describe(given),
    );
  }
  const count = parameters.length;
  if (steps.length !== count || state.length !== count) {
    refuse(
      'state',
      `the state of ${count} parameters`,
      `that of ${Math.min(steps.length, state.length)}`,
    );
  }
  parameters.forEach((parameter, i) => {
    const tensors: unknown = state[i];
    checkNumber('loadStateDict', `steps[${i}]`, steps[i], { min: 0, integer: true });
    const started = steps[i] !== 0;
    const wanted = started ? (slots[i] ?? 0) : 0;
    if (!Array.isArray(tensors) || tensors.length !== wanted) {
      return refuse(
        `state[${i}]`,
        `a list of ${wanted}, as ${op} with these options has ${started ? 'after' : 'before'} its first step`,
        describe(tensors),
        'load it into an optimizer of the kind and options that it came from',
      );
    }
    tensors.forEach((tensor: Tensor, k) => {
      const name = `state[${i}][${k}]`;
      checkTensor('loadStateDict', name, tensor, ['float32']);
      checkDevice('loadStateDict', name, tensor, parameter.device);
      checkShapeIs('loadStateDict', name, tensor, parameter.shape);
    });
  });
}

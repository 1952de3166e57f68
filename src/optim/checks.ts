// Checks what an optimizer is made of, and a state that it is to take over.
import { describe, kindOf } from '../core/describe.ts';
import { OptionError } from '../core/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkDevice, checkShapeIs, checkTensor } from '../core/validate.ts';
import { checkNumber } from '../core/validate-options.ts';
import type { OptimizerState } from './optimizer.ts';

/** The parameters, each a leaf, and none of them twice: it would be updated twice in a step. */
export function checkParameters(op: string, parameters: unknown): Tensor[] {
  const given = Object(parameters) as Partial<Iterable<Tensor>>;
  const list = typeof given[Symbol.iterator] === 'function' ? [...(given as Iterable<Tensor>)] : [];
  if (list.length === 0 || typeof parameters === 'string') {
    throw new OptionError({
      op,
      argument: 'parameters',
      expected: 'an array of at least one tensor, such as model.parameters()',
      received: describe(parameters),
    });
  }
  const seen = new Map<Tensor, number>();
  list.forEach((parameter, i) => {
    const argument = `parameters[${i}]`;
    checkTensor(op, argument, parameter);
    const first = seen.get(parameter);
    seen.set(parameter, first ?? i);
    // One without requiresGrad is frozen: it has no gradient, and a step leaves it out.
    const wrong = parameter.node
      ? 'the result of an op'
      : first !== undefined && `parameters[${first}] once more`;
    if (!wrong) return;
    throw new OptionError({
      op,
      argument,
      expected: 'a leaf tensor, each once',
      received: wrong,
    });
  });
  return list;
}

/** `slots`: tensors that this kind of optimizer keeps for each parameter, from its first update on. */
export function checkState(
  op: string,
  given: unknown,
  parameters: readonly Tensor[],
  slots: number,
): asserts given is OptimizerState {
  const { steps, state } = Object(given) as Partial<Record<keyof OptimizerState, unknown>>;
  if (!Array.isArray(steps) || !Array.isArray(state)) {
    throw new OptionError({
      op: 'loadStateDict',
      argument: 'state',
      expected: 'what stateDict() of an optimizer gives',
      received: kindOf(given) === 'Object' ? 'an object without steps and state' : describe(given),
    });
  }
  const count = parameters.length;
  if (steps.length !== count || state.length !== count) {
    throw new OptionError({
      op: 'loadStateDict',
      argument: 'state',
      expected: `the state of ${count} parameters`,
      received: `that of ${Math.min(steps.length, state.length)}`,
    });
  }
  parameters.forEach((parameter, i) => {
    const tensors: unknown = state[i];
    checkNumber('loadStateDict', `steps[${i}]`, steps[i], { min: 0, integer: true });
    const started = steps[i] !== 0;
    if (!Array.isArray(tensors) || tensors.length !== (started ? slots : 0)) {
      throw new OptionError({
        op: 'loadStateDict',
        argument: `state[${i}]`,
        expected: `a list of ${started ? slots : 0}, as ${op} with these options has ${started ? 'after' : 'before'} its first step`,
        received: describe(tensors),
        hint: 'load it into an optimizer of the kind and options that it came from',
      });
    }
    tensors.forEach((tensor: Tensor, k) => {
      const name = `state[${i}][${k}]`;
      checkTensor('loadStateDict', name, tensor, ['float32']);
      checkDevice('loadStateDict', name, tensor, parameter.device);
      checkShapeIs('loadStateDict', name, tensor, parameter.shape);
    });
  });
}

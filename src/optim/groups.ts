// Groups of parameters, each with options of its own: what an optimizer is given, made into what it keeps, or refused.
import { describe } from '../core/describe.ts';
import { OptionError } from '../core/errors.ts';
import { isTensor } from '../core/is-tensor.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkTensor } from '../core/validate.ts';
import { checkNumber, checkOptionNames, isPlain } from '../core/validate-options.ts';

/** The options that every group has. */
export interface GroupOptions {
  /** The learning rate. */
  lr: number;
}

/** Parameters and their options, which may be changed between steps, by hand or by a scheduler. */
export type ParamGroup<O extends GroupOptions = GroupOptions> = O & {
  readonly params: readonly Tensor[];
  /** The learning rate that a scheduler began with. */
  initialLr?: number;
};

/** A group as it is given: options that it does not have are the optimizer's. */
export type ParamGroupInit<O extends GroupOptions = GroupOptions> = Partial<O> & {
  readonly params: Tensor | Iterable<Tensor>;
  initialLr?: number;
};

/** What an optimizer updates: parameters, or groups of them. */
export type OptimizerParameters<O extends GroupOptions = GroupOptions> =
  Iterable<Tensor> | Iterable<ParamGroupInit<O>>;

/** What tells one kind of optimizer from another. */
export interface OptimizerKind<O extends GroupOptions> {
  /** Its name, for errors. */
  readonly op: string;
  readonly defaults: Readonly<O>;
  /** Options that follow from the kind: nobody chooses them. */
  readonly fixed?: Partial<O>;
  /** Throws where options cannot be used. `at` gives the name of an option as the caller knows it. */
  check(op: string, options: O, at: (name: string) => string): void;
}

/** The names of the options that a caller may give. */
function namesOf<O extends GroupOptions>({ defaults, fixed = {} }: OptimizerKind<O>): string[] {
  return Object.keys(defaults).filter((name) => !(name in fixed));
}

const byName = (name: string): string => name;

/** The options of a whole optimizer, over the defaults of its kind. */
export function optionsOf<O extends GroupOptions>(kind: OptimizerKind<O>, options: object): O {
  checkOptionNames(kind.op, options, namesOf(kind));
  const all: O = { ...kind.defaults, ...given(options), ...kind.fixed };
  checkOptions(kind, kind.op, all, byName);
  return structuredClone(all);
}

/**
 * Throws where the options of a group cannot be used. `least`: no learning rate is given below 0, but a schedule that ends at 0
 * may come out below by a rounding.
 */
export function checkOptions<O extends GroupOptions>(
  kind: OptimizerKind<O>,
  op: string,
  options: O,
  at: (name: string) => string,
  least = 0,
): void {
  checkRate(op, options.lr, at('lr'), least);
  kind.check(op, options, at);
}

/** A learning rate is a number of the host's: schedules are computed there. */
export function checkRate(op: string, lr: unknown, argument = 'lr', least = 0): void {
  if (isTensor(lr)) {
    throw new OptionError({
      op,
      argument,
      expected: 'a number of at least 0',
      received: describe(lr),
      hint: 'await lr.item() gives the number of a tensor',
    });
  }
  checkNumber(op, argument, lr, { min: least });
}

/** What is `undefined` counts as left out. */
function given(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** The groups that `parameters` stands for: those in it, or one of all. */
export function groupsOf<O extends GroupOptions>(
  kind: OptimizerKind<O>,
  parameters: unknown,
  options: O,
): ParamGroup<O>[] {
  const { op } = kind;
  const list = listOf(parameters);
  if (list.length === 0 || typeof parameters === 'string') {
    throw new OptionError({
      op,
      argument: 'parameters',
      expected: 'an array of at least one tensor, such as model.parameters()',
      received: describe(parameters),
    });
  }
  const seen = new Map<Tensor, string>();
  const [first] = list;
  if (!isGroup(first))
    return [{ ...structuredClone(options), params: checkParams(op, list, 'parameters', seen) }];
  return list.map((one, i) => groupOf(kind, one, options, `parameters[${i}]`, seen));
}

/** A group of an optimizer. `seen`: the parameters that it has already, and their names. */
export function groupOf<O extends GroupOptions>(
  kind: OptimizerKind<O>,
  group: unknown,
  options: O,
  argument: string,
  seen: Map<Tensor, string>,
): ParamGroup<O> {
  const { op } = kind;
  if (!isGroup(group)) {
    throw new OptionError({
      op,
      argument,
      expected: 'a group such as { params: [w], lr: 0.1 }',
      received: describe(group),
    });
  }
  checkOptionNames(op, group, [...namesOf(kind), 'params', 'initialLr']);
  const { params, ...own } = group;
  const list = isTensor(params) ? [params] : listOf(params);
  if (!isTensor(params) && (!isIterable(params) || typeof params === 'string')) {
    throw new OptionError({
      op,
      argument: `${argument}.params`,
      expected: 'an array of tensors',
      received: describe(params),
    });
  }
  const all: O = { ...options, ...given(own), ...kind.fixed };
  checkOptions(kind, op, all, (name) => `${argument}.${name}`);
  return { ...structuredClone(all), params: checkParams(op, list, `${argument}.params`, seen) };
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return isPlain(value) && !isTensor(value);
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof (Object(value) as Partial<Iterable<unknown>>)[Symbol.iterator] === 'function';
}

function listOf(value: unknown): unknown[] {
  return isIterable(value) ? [...value] : [];
}

/** The parameters of a group, each a leaf, and none of them twice: it would be updated twice in a step. */
function checkParams(
  op: string,
  list: readonly unknown[],
  argument: string,
  seen: Map<Tensor, string>,
): Tensor[] {
  return list.map((parameter, i) => {
    const name = `${argument}[${i}]`;
    checkTensor(op, name, parameter);
    const first = seen.get(parameter);
    seen.set(parameter, first ?? name);
    // One without requiresGrad is frozen: it has no gradient, and a step leaves it out.
    const wrong = parameter.node
      ? 'the result of an op'
      : first !== undefined && `${first} once more`;
    if (wrong) {
      throw new OptionError({
        op,
        argument: name,
        expected: 'a leaf tensor, each once',
        received: wrong,
      });
    }
    return parameter;
  });
}

// Requests for `planOf`, and the same calls of nonlin's functions: what both runners of plans compare.
import * as kernels from '../src/kernels.ts';
import * as nonlin from '../src/index.ts';
import { sizeOf, type Shape } from '../src/core/shape.ts';
import type { Tensor } from '../src/index.ts';
import type { KernelOp, KernelPlan, PlanTuning } from '../src/kernels.ts';
import { OWN_CASES } from './plan-cases.ts';

type DType = 'float32' | 'float16' | 'int32';

/** A request without its types. */
export interface Wanted {
  readonly shape: Shape;
  readonly dtype?: 'float32' | 'float16';
  readonly shapes?: Readonly<Record<string, Shape>>;
  readonly dtypes?: Readonly<Record<string, DType>>;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly gradients?: readonly string[];
  readonly fused?: boolean;
  readonly limits?: Readonly<Record<string, number>>;
  readonly tuning?: PlanTuning;
  readonly padded?: boolean;
}

export interface Case extends Wanted {
  readonly op: string;
  /** The kernel, where it is not the entry's of that name. */
  readonly kernel?: KernelOp;
  /** Whether the device multiplies the gradients of a gradOutput of 1 by another, in float32, where a plan computes them anew. */
  readonly scaled?: boolean;
}

type Callable = ((...args: unknown[]) => Tensor) & {
  readonly params: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
  readonly weights?: readonly string[];
};

const isKernelOp = (value: unknown): value is KernelOp =>
  typeof value === 'object' && value !== null && 'passes' in value;

/** All ops of the entry, by name. */
export const kernelOps: ReadonlyMap<string, KernelOp> = new Map(
  Object.entries<unknown>(kernels).flatMap(([name, value]): [string, KernelOp][] =>
    isKernelOp(value) ? [[name, value]] : [],
  ),
);

export function functionOf(op: string): Callable {
  return Reflect.get(nonlin, op) as Callable;
}

export function kernelOf({ op, kernel = kernelOps.get(op) }: Case): KernelOp {
  if (!kernel) throw new Error(`no kernel ${op}`);
  return kernel;
}

export function plan(one: Case): KernelPlan {
  const { op: _op, kernel: _kernel, scaled: _scaled, ...request } = one;
  const any: unknown = request;
  return kernels.planOf(kernelOf(one), any as kernels.PlanRequest<object, string>);
}

/** The names of the inputs that a case has. */
export function inputsOf(one: Case): string[] {
  const { inputs } = kernelOf(one);
  const optional = optionalOf(one);
  return inputs.filter((name) => !optional.includes(name) || one.shapes?.[name] !== undefined);
}

function optionalOf(one: Case): readonly string[] {
  const { kind, inputs } = kernelOf(one);
  if (kind === 'loss') {
    const { weights = ['weight', 'negatives', 'logitScale', 'logitBias'] } = functionOf(one.op);
    return weights;
  }
  if (kind === 'distance') return [];
  // prelu has a weight in any case.
  return one.kernel || one.op === 'prelu' ? [] : inputs.slice(1);
}

/** Calls nonlin's function with the tensors of a case. */
export function call(one: Case, tensors: Readonly<Record<string, Tensor>>): Tensor {
  const fn = functionOf(one.op);
  const { kind, inputs } = kernelOf(one);
  const { normalizedShape, numGroups, size, ...options } = one.options ?? {};
  const [first = '', ...others] = inputs;
  const input = tensors[first];
  const named = (names: readonly string[]): Record<string, Tensor> =>
    Object.fromEntries(names.flatMap((name) => (tensors[name] ? [[name, tensors[name]]] : [])));
  const { up, weight } = tensors;
  if (up) return fn(input, up, options);
  if (one.op === 'prelu') return fn(input, weight, options);
  if (kind === 'norm') {
    const lead = normalizedShape ?? numGroups ?? size;
    const all = { ...options, ...named(others) };
    return lead === undefined ? fn(input, all) : fn(input, lead, all);
  }
  if (kind !== 'loss' && kind !== 'distance') return fn(input, { ...options, ...named(others) });
  const optional = optionalOf(one);
  const positional = inputs.filter((name) => !optional.includes(name));
  const args = positional.map((name) =>
    // The function has a number where a plan has a tensor of no dimensions.
    name === 'variance' && tensors[name]?.rank === 0 ? VARIANCE : tensors[name],
  );
  return fn(...args, { ...options, ...named(optional) });
}

const REDUCTIONS = ['mean', 'sum', 'none'] as const;

/** Calls of one op: options, broadcasts, gradients of one and of all. */
export function casesOf(op: string): Case[] {
  const kernel = kernelOf({ op, shape: [] });
  const { kind, differentiable } = kernel;
  const fn = functionOf(op);
  const own = OWN_CASES[op] ?? [];
  if (own.length > 0 && kind !== 'gated') return [...own];
  const required = Object.fromEntries((fn.required ?? []).map((name) => [name, fn.params[name]]));
  const withOptions = (options: Record<string, unknown>) => ({
    options: { ...required, ...options },
  });
  const none = { gradients: [] };
  switch (kind) {
    case 'activation': {
      const biased = kernels.withBias(kernel as kernels.ActivationKernel) as unknown as KernelOp;
      return [
        { op, shape: [6, 10], ...withOptions({}) },
        { op, shape: [5, 7], ...withOptions({}), ...none },
        { op, shape: [6, 12], kernel: biased, shapes: { bias: [12] }, ...withOptions({}) },
        {
          op,
          shape: [3, 5],
          kernel: biased,
          shapes: { bias: [5] },
          gradients: ['input', 'bias'],
          ...withOptions({}),
        },
      ];
    }
    case 'gated':
      return [{ op, shape: [6, 10] }, { op, shape: [4, 7], options: { dim: 0 } }, ...own];
    case 'rowwise':
      return [
        { op, shape: [6, 12], options: { dim: 1 } },
        { op, shape: [5, 7], options: { dim: 1 }, ...none },
        { op, shape: [3, 10, 4], options: { dim: 1 } },
        { op, shape: [2, 700], options: { dim: -1 } },
        ...(kernel.inputs.includes('mask')
          ? [{ op, shape: [6, 12], shapes: { mask: [1, 12] }, options: { dim: 1, scale: 0.5 } }]
          : []),
      ];
    case 'norm': {
      const operands = kernel.inputs.slice(1);
      const shapes = Object.fromEntries(operands.map((name) => [name, [12]]));
      const options = { normalizedShape: [12] };
      return [
        { op, shape: [6, 12], options },
        { op, shape: [6, 12], options, shapes, ...none },
        { op, shape: [6, 12], options, shapes, gradients: ['input', ...operands] },
        { op, shape: [3, 700], options: { normalizedShape: [700], eps: 0.01 } },
        { op, shape: [5, 7], options: { normalizedShape: [7] } },
      ];
    }
    default: {
      const weights = fn.weights ?? ['weight'];
      if (kernel.inputs[2] === 'weight' && fn.weights === undefined)
        return classCases(op, differentiable);
      const reductions = (fn as unknown as { reductions: readonly string[] }).reductions;
      const shape = [6, 10];
      return [
        ...reductions.map((reduction) => ({ op, shape, ...withOptions({ reduction }) })),
        { op, shape, ...withOptions({}), ...none },
        { op, shape, ...withOptions({}), fused: false },
        {
          op,
          shape,
          ...withOptions({}),
          gradients: differentiable.filter((name) => !weights.includes(name)),
        },
        ...weights.map((name) => ({
          op,
          shape,
          shapes: { [name]: shape },
          ...withOptions({ reduction: reductions[0] }),
        })),
        ...weights
          .filter((name) => differentiable.includes(name))
          .map((name) => ({
            op,
            shape,
            shapes: { [name]: shape },
            gradients: [differentiable[0] ?? '', name],
            ...withOptions({}),
          })),
      ];
    }
  }
}

function classCases(op: string, differentiable: readonly string[]): Case[] {
  const soft = differentiable.length > 1;
  return [
    ...REDUCTIONS.map((reduction) => ({ op, shape: [6, 12], options: { reduction } })),
    { op, shape: [3, 7, 5], gradients: [] },
    { op, shape: [3, 7, 5], fused: false },
    { op, shape: [4, 600], shapes: { weight: [600] }, options: { ignoreIndex: 1 } },
    ...(soft
      ? [
          { op, shape: [6, 12], options: { labelSmoothing: 0.1, zLoss: 0.01 } },
          {
            op,
            shape: [6, 12],
            dtypes: { target: 'float32' as const },
            gradients: ['input', 'target'],
          },
        ]
      : []),
  ];
}

/** The case in float16, class probabilities too. */
export function inFloat16(one: Case): Case {
  const dtypes =
    one.dtypes &&
    Object.fromEntries(Object.keys(one.dtypes).map((name) => [name, 'float16' as const]));
  return { ...one, dtype: 'float16', ...(dtypes ? { dtypes } : {}) };
}

/** A name for what a case is about. */
export function titleOf({
  op,
  kernel: _kernel,
  tuning: _tuning,
  scaled: _scaled,
  ...request
}: Case): string {
  return `${op} ${JSON.stringify(request)}`;
}

/** Integers of inputs that are no class indices. */
const INTEGERS: Readonly<Record<string, (i: number) => number>> = {
  mask: (i) => Number(i % 3 > 0),
  labels: (i) => i % 2,
  // Of coxPhLoss.
  event: (i) => Number(i % 3 > 0),
  // Of ctcLoss: five steps, at most two labels, of which the first has both.
  targets: (i) => 1 + (i % 2),
  inputLengths: (i) => 5 - (i % 2),
  targetLengths: (i) => 2 - (i % 2),
};

/** That of `gaussianNllLoss` as one number. */
const VARIANCE = 0.5;

/** Values between 0 and 1 that nearly all losses take, and class indices; the same each time. */
export function valuesFor(name: string, shape: Shape, dtype: string, classes: number): number[] {
  return Array.from({ length: sizeOf(shape) }, (_, i) => {
    if (name === 'variance' && shape.length === 0) return VARIANCE;
    if (dtype === 'int32') return INTEGERS[name]?.(i) ?? (i * 5) % classes;
    const wave = ((i * 7 + name.length * 3) % 23) / 25 + 0.05;
    // Corners of boxes: the upper ones behind the lower ones.
    if (name.startsWith('boxes')) return wave + Number(i % 4 > 1);
    return name === 'input' ? wave : 1 - wave * 0.9;
  });
}

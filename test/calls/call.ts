// A call in plain data, and how to carry one out on a device.
import * as nonlin from '../../src/index.ts';
import { Tensor, tensor, type Device } from '../../src/index.ts';

export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype: 'float' | 'int32';
  readonly data: readonly number[];
}

/** A call in plain data: it prints, shrinks and runs on any device in any float dtype. */
export interface Call {
  readonly op: string;
  /** Required tensors by argument name, in order. `list.0.1` is an element of an argument that is a list (of lists). */
  readonly positional: Readonly<Record<string, TensorSpec>>;
  /** Tensors among the options. */
  readonly optional: Readonly<Record<string, TensorSpec>>;
  readonly options: Readonly<Record<string, unknown>>;
  /** Names of the tensors that have a gradient. */
  readonly differentiable: readonly string[];
  /** Arguments after the tensors that are no options: a shape. */
  readonly rest?: readonly unknown[];
  /** A typical magnitude of the terms that results and gradients are sums of; 0 where nothing is summed. */
  readonly scale: number;
  /** The same for some of them: `out`, or a tensor's name for its gradient. */
  readonly scales?: Readonly<Record<string, number>>;
}

export function functionOf(op: string): (...args: unknown[]) => unknown {
  const fn: unknown = Reflect.get(nonlin, op);
  if (typeof fn !== 'function') throw new Error(`${op} is not exported`);
  return fn as (...args: unknown[]) => unknown;
}

/** The arguments of a call, on a device. */
export interface Arguments {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly options: Record<string, unknown>;
}

/** Puts a tensor on a device. */
export type Upload = (
  spec: TensorSpec,
  dtype: 'float32' | 'float16' | 'int32',
  device: Device,
) => Tensor;

export const upload: Upload = ({ shape, data }, dtype, device) =>
  tensor([...data], { shape, dtype, device });

export function argumentsOf(
  call: Call,
  device: Device,
  settings: { dtype?: 'float32' | 'float16'; grad?: boolean; place?: Upload } = {},
): Arguments {
  const { dtype = 'float32', grad = false, place = upload } = settings;
  const make = ([name, spec]: [string, TensorSpec]): [string, Tensor] => {
    const placed = place(spec, spec.dtype === 'float' ? dtype : 'int32', device);
    if (grad && call.differentiable.includes(name)) placed.requiresGrad = true;
    return [name, placed];
  };
  const optional = Object.fromEntries(Object.entries(call.optional).map(make));
  const positional = Object.fromEntries(Object.entries(call.positional).map(make));
  // By name in the call, so that it prints in one line.
  const named = ['activation', 'distanceFunction'].flatMap((option) => {
    const name = call.options[option];
    return typeof name === 'string' ? [[option, functionOf(name)] as const] : [];
  });
  return {
    tensors: { ...positional, ...optional },
    options: { ...call.options, ...Object.fromEntries(named), ...optional },
  };
}

/** Carries out a call; `overrides` replace arguments or options by name. */
export function apply(
  call: Call,
  { tensors, options }: Arguments,
  overrides: Readonly<Record<string, unknown>> = {},
): unknown {
  const positional: unknown[] = [];
  const lists = new Map<string, unknown[]>();
  for (const name of Object.keys(call.positional)) {
    const value = name in overrides ? overrides[name] : tensors[name];
    let path = '';
    let inside = positional;
    const parts = name.split('.');
    for (const part of parts.slice(0, -1)) {
      path += `${part}.`;
      const list = lists.get(path) ?? [];
      if (!lists.has(path)) inside.push(list);
      lists.set(path, list);
      inside = list;
    }
    inside.push(value);
  }
  const others = Object.entries(overrides).filter(([name]) => !(name in call.positional));
  const given = { ...options, ...Object.fromEntries(others) };
  const rest = call.rest ?? [];
  const last = Object.keys(given).length > 0 ? [given] : [];
  return functionOf(call.op)(...positional, ...rest, ...last);
}

/** The result of a call that is differentiated; of several, `values`. */
export function resultOf(call: Call, args: Arguments): Tensor {
  const given = apply(call, args);
  const result = given instanceof Object && 'values' in given ? given.values : given;
  if (!(result instanceof Tensor)) throw new Error(`${call.op} returned no tensor`);
  return result;
}

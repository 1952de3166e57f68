// Tensors in nested arrays and plain objects: what a captured step takes and returns.
import { describe } from '../core/describe.ts';
import { OptionError } from '../core/errors.ts';
import { isTensor } from '../core/is-tensor.ts';
import type { Tensor } from '../core/tensor.ts';
import { isPlain } from '../core/validate-options.ts';

/** Deeper values are taken for circular ones. */
const DEEPEST = 64;

/** Makes a value of the same structure from other tensors. */
export type Make = (tensors: readonly Tensor[]) => unknown;

/** `indexOf` tells the place of a tensor among those; `other` makes what is neither a tensor nor holds any, or throws. */
export function makerOf(
  value: unknown,
  indexOf: (tensor: Tensor) => number,
  other: (value: unknown) => unknown,
  depth = 0,
): Make {
  if (isTensor(value)) {
    const index = indexOf(value);
    return (tensors) => tensors[index];
  }
  if (Array.isArray(value) && depth <= DEEPEST) {
    const items = value.map((item: unknown) => makerOf(item, indexOf, other, depth + 1));
    return (tensors) => items.map((make) => make(tensors));
  }
  if (isPlain(value) && depth <= DEEPEST) {
    const entries = Object.entries(value).map(
      ([key, item]) => [key, makerOf(item, indexOf, other, depth + 1)] as const,
    );
    return (tensors) => Object.fromEntries(entries.map(([key, make]) => [key, make(tensors)]));
  }
  const constant = other(value);
  return () => constant;
}

/** Arguments of a step, taken apart. */
export interface Taken {
  readonly tensors: readonly Tensor[];
  readonly names: readonly string[];
  /** Tells arguments for which other launches may be needed: everything but the elements of tensors. */
  readonly key: string;
}

export function take(args: readonly unknown[]): Taken {
  const tensors: Tensor[] = [];
  const names: string[] = [];
  let key = '';
  const visit = (value: unknown, name: string, depth: number): void => {
    if (isTensor(value)) {
      tensors.push(value);
      names.push(name);
      key += `${value.dtype}[${value.shape.join()}]`;
    } else if (Array.isArray(value) && depth <= DEEPEST) {
      key += '(';
      value.forEach((item: unknown, i) => {
        visit(item, `${name}[${i}]`, depth + 1);
      });
      key += ')';
    } else if (isPlain(value) && depth <= DEEPEST) {
      key += '{';
      for (const [property, item] of Object.entries(value)) {
        key += `${JSON.stringify(property)}:`;
        visit(item, `${name}.${property}`, depth + 1);
      }
      key += '}';
    } else if (['object', 'function', 'symbol'].includes(typeof value) && value !== null) {
      throw new OptionError({
        op: 'capture',
        argument: name,
        expected: 'a tensor, arrays or plain objects of tensors, or a plain value',
        received: describe(value),
      });
    } else {
      key += `${typeof value}${typeof value === 'string' ? JSON.stringify(value) : String(value)};`;
    }
  };
  args.forEach((value, i) => {
    visit(value, `inputs[${i}]`, 0);
  });
  return { tensors, names, key };
}

/** The structure of what a function returned: only tensors, which a replay makes anew, or nothing at all. */
export function resultMaker(result: unknown, indexOf: (tensor: Tensor) => number): Make {
  if (result === undefined) return () => undefined;
  return makerOf(result, indexOf, (value) => {
    throw new OptionError({
      op: 'capture',
      argument: 'fn',
      expected: 'a function that returns tensors, or arrays or plain objects of tensors',
      received: `one that returns ${describe(value)}`,
    });
  });
}

// Takes a declared activation, and gives the option values it is measured with, and how to call it with each.
import { catalog } from '../../src/catalog.ts';
import type { Activation, Epilogue } from '../../src/define/activation.ts';
import type { Gated } from '../../src/define/gated.ts';
import type { Documented } from '../../src/define/op.ts';
import type { FloatDType } from '../../src/core/dtype.ts';
import {
  abs,
  exp,
  log,
  neg,
  nn,
  reshape,
  sqrt,
  type Device,
  type Tensor,
} from '../../src/index.ts';
import { fixNoise } from './gumbel.ts';
import { isNorm, normApplier, OFFSETS } from './norms.ts';

/** Activations, row-wise ops and norms of the catalog: the others are made of sums, and held by the conformance tests. */
export const measured: readonly Documented[] = catalog.filter(
  ({ kind }) => !['loss', 'embedding', 'attention'].includes(kind),
);

/** Functions of one tensor that are declared as activations are; docs/tensor-ops.md documents them. */
export const functions = [exp, log, sqrt, abs, neg] as unknown as readonly Documented[];

/** Whether it is measured on rows: what is computed of an element depends on others. */
export const isRows = (op: Documented): boolean => op.kind === 'rowwise' || isNorm(op);

export type Options = Readonly<Record<string, number | string | boolean>>;

/** What an elementwise op is made of; undefined for others. */
export function epilogueOf(op: Documented): Epilogue | undefined {
  return 'epilogue' in op ? (op as unknown as Activation).epilogue : undefined;
}

/** What a gated unit is made of; undefined for others. */
export function gatedOf(op: Documented): Gated | undefined {
  return op.kind === 'gated' ? (op as unknown as Gated) : undefined;
}

/**
 * The defaults and two other sets: half and three times each number, within its range; each choice at least once.
 * Numbers are rounded to float32, as the GPU gets them, so that errors are the op's own.
 */
export function optionSets(op: Documented): Options[] {
  // what norms are measured with is how far their rows are from 0: `eps` is but added to a sum
  if (isNorm(op)) return (OFFSETS[op.op] ?? [0]).map((offset) => ({ offset }));
  const names = Object.keys(op.params);
  if (names.length === 0) return [{}];
  const choices = names.map((name) => choicesOf(op, name)?.length ?? 0);
  const sets = Array.from({ length: Math.max(3, ...choices) }, (_, k): Options => {
    return Object.fromEntries(names.map((name) => [name, valueOf(op, name, k)]));
  });
  const distinct = new Map(sets.map((set) => [JSON.stringify(set), set]));
  return [...distinct.values()].filter((set) => isValid(op, set));
}

function choicesOf(op: Documented, name: string): readonly string[] | undefined {
  const spec: unknown = op.specs?.[name];
  if (typeof spec !== 'object' || spec === null || !('choices' in spec)) return undefined;
  return spec.choices as readonly string[];
}

function valueOf(op: Documented, name: string, k: number): number | string {
  const choices = choicesOf(op, name);
  if (choices) return choices[k % choices.length] ?? '';
  const value = Number(op.params[name]);
  const others = value === 0 ? [0, 0.75, -1.5] : [value, value / 2, value * 3];
  const spec: unknown = op.specs?.[name];
  const range: { min?: number; max?: number } =
    typeof spec === 'object' && spec !== null ? spec : {};
  const { min = -Infinity, max = Infinity } = range;
  return Math.fround(Math.min(Math.max(others[k % 3] ?? value, min), max));
}

/** Whether the op takes them: some options must fit each other. */
function isValid(op: Documented, options: Options): boolean {
  try {
    (gatedOf(op)?.activation ?? (op as Partial<Activation>)).epilogue?.resolve(op.op, options);
    return true;
  } catch {
    return false;
  }
}

export type Apply = (x: Tensor) => Tensor;

/** The op as a function of [rows, n]. Row-wise ones go along n; learned weights have their first value. */
export function applier(
  op: Documented,
  options: Options,
  device: Device,
  dtype: FloatDType,
): Apply {
  if (isNorm(op)) return normApplier(op, device, dtype);
  const call = op as unknown as (x: Tensor, options: object) => Tensor;
  switch (op.op) {
    case 'softmax2d':
      return (x) => reshape(call(reshape(x, [...x.shape, 1, 1]), options), x.shape);
    case 'gumbelSoftmax':
      return (x) => {
        fixNoise();
        return call(x, { ...options, dim: -1 });
      };
    case 'prelu': {
      const module = new nn.PReLU({ ...options, device, dtype });
      return (x) => module.forward(x);
    }
    default:
      return (x) => call(x, op.kind === 'rowwise' ? { ...options, dim: -1 } : options);
  }
}

// What a form of a loss's tensors is, and parts that forms are made of.
import { tensor, type Device, type Tensor } from 'nonlin';
import type { ChoiceOption, NumberOption, Values } from './options.ts';

/** What stays as it is while the number moves: a target, mostly. */
export type Setting = NumberOption | ChoiceOption;

/** A tensor, or pairs of them. */
export type Argument = Tensor | readonly (readonly [Tensor, Tensor])[];

/** What losses are for, by what they take. */
export const LOSS_GROUPS = [
  'Regression',
  'Classification',
  'Distributions',
  'Rankings and embeddings',
  'Preferences and policies',
  'Others',
] as const;
export type LossGroup = (typeof LOSS_GROUPS)[number];

export interface Form {
  readonly name: string;
  readonly group: LossGroup;
  /** The moving number, for people. */
  readonly axis: string;
  readonly range: readonly [number, number];
  readonly setting: Setting;
  /** Options of the loss that its tensors leave no choice of. */
  readonly settled?: readonly string[];
  /** Whether the loss compares the examples of a batch: then each is a call of its own. */
  readonly apart?: true;
  /** What those are, where they are not their defaults. */
  readonly given?: Readonly<Record<string, string>>;
  /** The loss's arguments as code. */
  readonly names: readonly string[];
  /** The tensor that moves, one example per number. */
  input(x: Float32Array, setting: number): { values: Float32Array; shape: readonly number[] };
  /** All arguments in the loss's order. */
  args(moving: Tensor, count: number, setting: number, device: Device, values: Values): Argument[];
  /** The gradient with respect to the number of example `i`, from that of the moving tensor. */
  along(gradient: Float32Array, i: number, x: number, setting: number): number;
}

export const filled = (count: number, value: number, device: Device, shape?: readonly number[]) =>
  tensor(new Float32Array(count).fill(value), { device, ...(shape ? { shape } : {}) });

export const repeated = (row: readonly number[], count: number, device: Device) =>
  tensor(
    Float32Array.from({ length: count * row.length }, (_, i) => row[i % row.length] ?? 0),
    { shape: [count, row.length], device },
  );

export const indices = (
  row: readonly number[],
  count: number,
  device: Device,
  shape: readonly number[],
) =>
  tensor(
    Int32Array.from({ length: count * row.length }, (_, i) => row[i % row.length] ?? 0),
    { shape, dtype: 'int32', device },
  );

export const itself = (x: Float32Array) => ({ values: x, shape: [x.length] });
export const SIGNS = { name: 'target', value: '1', choices: ['1', '-1'] } as const;
export const DEFAULT_TARGET = { name: 'target', value: 0, min: -3, max: 3, step: 0.1 } as const;
export const count = {
  name: 'target',
  label: 'target (count)',
  value: 3,
  min: 0,
  max: 10,
  step: 1,
} as const;
export const share = (value: number) =>
  ({
    name: 'target',
    label: 'target (probability)',
    value,
    min: 0,
    max: 1,
    step: 0.01,
  }) as const;
const TARGET_CLASS = {
  name: 'target',
  label: 'target class',
  value: '0',
  choices: ['0', '1'],
} as const;
export const NAMES = ['input', 'target'] as const;

export interface Pair {
  readonly name: string;
  readonly group: LossGroup;
  readonly axis: string;
  readonly range: readonly [number, number];
  readonly setting: Setting;
  /** The target from what the control says, and the loss's options. */
  readonly target?: (setting: number, values: Values) => number;
}

/** Input and target of the same shape, an element per example. */
export const pair = ({ name, group, axis, range, setting, target = (t) => t }: Pair): Form => ({
  name,
  group,
  axis,
  range,
  setting,
  names: NAMES,
  input: itself,
  args: (moving, n, t, device, values) => [moving, filled(n, target(t, values), device)],
  along: (gradient, i) => gradient[i] ?? NaN,
});

/** A row of three scores of which the first, that of class 0, moves. */
export const row = (
  name: string,
  target: (count: number, setting: number, device: Device) => Tensor,
  setting: Setting = TARGET_CLASS,
): Form => ({
  name,
  group: 'Classification',
  axis: 'logit of class 0 (other logits: 0)',
  range: [-6, 6],
  setting,
  names: NAMES,
  input: (x) => ({
    values: Float32Array.from({ length: 3 * x.length }, (_, i) =>
      i % 3 === 0 ? (x[i / 3] ?? 0) : 0,
    ),
    shape: [x.length, 3],
  }),
  args: (moving, n, t, device) => [moving, target(n, t, device)],
  along: (gradient, i) => gradient[3 * i] ?? NaN,
});

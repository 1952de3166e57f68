// What valid calls are drawn from: shapes, elements, options.
import fc from 'fast-check';
import { catalog } from '../../src/catalog.ts';
import { sizeOf } from '../../src/core/shape.ts';
import { HOSTILE, type HostileFamily } from '../hostile.ts';
import type { TensorSpec } from './call.ts';

/**
 * How the values of float tensors are drawn: finite and off 0; with zeros, NaN and infinities; with huge ones too; of one
 * hostile family; of another hostile family in each row: any of them, those that are huge, the others.
 */
export type Values = 'smooth' | 'any' | 'wild' | HostileFamily | keyof typeof MIXED;

const MIXED = {
  hostile: HOSTILE,
  huge: HOSTILE.filter(({ huge }) => huge),
  'hostile, not huge': HOSTILE.filter(({ huge }) => !huge),
} as const;

const SPECIAL = [0, -0, 1, -1, Infinity, -Infinity, NaN];
/** No subnormals: a GPU may flush them. */
const WILD = [...SPECIAL, 1e-30, -1e-30, 3e38, -3e38, 88, -104];

/** Numbers from 0 to 1, repeatable (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A value of a kind: `smooth` ones keep off 0, where many derivatives jump. */
function valueOf(kind: 'smooth' | 'any' | 'wild', magnitude: number, random: () => number): number {
  const [a, b, c] = [random(), random(), random()];
  if (kind === 'smooth') return Math.fround((0.05 + a * (magnitude - 0.05)) * (b < 0.5 ? -1 : 1));
  const special = kind === 'wild' ? WILD : SPECIAL;
  if (b < 0.03) return Math.fround(special[Math.floor(c * special.length)] ?? 0);
  return Math.fround((2 * a - 1) * magnitude);
}

function elementsOf(
  shape: readonly number[],
  kind: Values,
  magnitude: number,
  seed: number,
): number[] {
  const random = randomNumbers(seed);
  const size = sizeOf(shape);
  if (kind === 'smooth' || kind === 'any' || kind === 'wild') {
    return Array.from({ length: size }, () => valueOf(kind, magnitude, random));
  }
  const families = typeof kind === 'object' ? [kind] : MIXED[kind];
  const n = shape.at(-1) ?? 1;
  const elements: number[] = [];
  for (let i = 0; elements.length < size; i++) {
    const family = families[(seed + i) % families.length];
    for (const value of family?.row(n, random, magnitude) ?? []) elements.push(Math.fround(value));
  }
  return elements;
}

/** Elements from a seed, so that a failing call prints in one line. */
class Floats implements TensorSpec {
  readonly dtype = 'float';
  readonly shape: readonly number[];
  readonly data: readonly number[];
  readonly #seed: number;
  readonly #kind: Values;

  constructor(
    shape: readonly number[],
    kind: Values,
    magnitude: number,
    seed: number,
    positive = false,
  ) {
    this.shape = shape;
    this.#seed = seed;
    this.#kind = kind;
    const elements = elementsOf(shape, kind, magnitude, seed);
    this.data = positive ? elements.map(Math.abs) : elements;
  }

  [fc.toStringMethod](): string {
    const shown = this.data.length <= 8 ? `: ${this.data.join()}` : '';
    const kind = typeof this.#kind === 'object' ? this.#kind.name : this.#kind;
    return `${kind} [${this.shape.join()}] from ${this.#seed}${shown}`;
  }
}

const seeds = fc.noShrink(fc.nat());

export function floats(
  shape: readonly number[],
  kind: Values,
  magnitude: number,
  positive = false,
): fc.Arbitrary<TensorSpec> {
  return seeds.map((seed) => new Floats(shape, kind, magnitude, seed, positive));
}

export const finite = (shape: readonly number[], magnitude: number): fc.Arbitrary<TensorSpec> =>
  floats(shape, 'smooth', magnitude);

/** Rank 0 to 5, now and then empty, now and then long enough for more than one workgroup. */
export const shapes: fc.Arbitrary<number[]> = fc.oneof(
  { arbitrary: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 5 }), weight: 6 },
  {
    arbitrary: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 4 }),
    weight: 1,
  },
  { arbitrary: fc.integer({ min: 1, max: 2000 }).map((n) => [n]), weight: 1 },
  {
    arbitrary: fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 })),
    weight: 1,
  },
);

export type Drawn = fc.Arbitrary<number[]>;

/** What an op makes of shapes [rows, columns] that a test asks for; its own where none are. */
export function sized<T>(
  drawn: Drawn,
  own: fc.Arbitrary<T>,
  of: (rows: number, columns: number) => T,
): fc.Arbitrary<T> {
  return drawn === shapes ? own : drawn.map(([rows = 1, columns = 1]) => of(rows, columns));
}

/** Two or more shapes that broadcast: each drops leading dimensions or repeats along some. */
export function broadcasting(count: number, drawn: Drawn): fc.Arbitrary<number[][]> {
  return drawn.chain((shape) =>
    fc
      .array(
        fc.record({
          dropped: fc.integer({ min: 0, max: shape.length }),
          ones: fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }),
          plain: fc.boolean(),
        }),
        { minLength: count, maxLength: count },
      )
      .map((changes) =>
        changes.map(({ dropped, ones, plain }) =>
          plain ? shape : shape.map((d, i) => (ones[i] === true ? 1 : d)).slice(dropped),
        ),
      ),
  );
}

/** Options that are left out half of the time, unless they are required. */
export function maybe(
  options: Readonly<Record<string, fc.Arbitrary<unknown>>>,
  required: readonly string[] = [],
): fc.Arbitrary<Record<string, unknown>> {
  return fc.record(options, { requiredKeys: [...required], noNullPrototype: true });
}

export const magnitudes = fc.constantFrom(0.5, 3, 20);
export const reduction = fc.constantFrom('none', 'mean', 'sum');

/** Options that PyTorch has no default for, and such that multiples of the default say little of. */
const OPTION_VALUES: Readonly<Record<string, readonly unknown[]>> = {
  'threshold.threshold': [0.5, -1.25, 0],
  'threshold.value': [-0.75, 3, 0],
  'gelu.approximate': ['none', 'tanh'],
  'polyLoss.epsilon': [2, 1, -0.59375, -1],
  'generalizedCrossEntropy.q': [0.7, 0.109375, 1],
  'arcFaceLoss.m': [0.5, 0.25, 0, 1.25],
  'arcFaceLoss.easyMargin': [false, true],
  'swish.beta': [1, 1.702, 0, -1.5, 0.25],
  'hardsigmoid.alpha': [1 / 6, 0.2, -0.25, 1],
  'hardsigmoid.beta': [0.5, 0, -0.3125],
};

/** Names of the options that every call of an op has to give. */
export function requiredOf(op: string): readonly string[] {
  return catalog.find((candidate) => candidate.op === op)?.required ?? [];
}

/** Valid values of the options that every call of an op has to give. */
export function requiredOptions(op: string): Record<string, unknown> {
  return Object.fromEntries(
    requiredOf(op).map((name) => [name, OPTION_VALUES[`${op}.${name}`]?.[0]]),
  );
}

/** Values of declared options: listed ones, or multiples of their defaults, so that ranges are kept. */
export function params(op: string): Record<string, fc.Arbitrary<unknown>> {
  const declared = catalog.find((candidate) => candidate.op === op);
  return Object.fromEntries(
    Object.entries(declared?.params ?? {}).map(([name, value]) => {
      const listed = OPTION_VALUES[`${op}.${name}`];
      if (listed) return [name, fc.constantFrom(...listed)];
      if (typeof value !== 'number')
        throw new Error(`list the values of ${op}.${name} in test/calls/draw.ts`);
      return [name, fc.constantFrom(0.25, 0.5, 1, 1.75, 3).map((factor) => value * factor)];
    }),
  );
}

/** A finite upstream gradient for a result of this shape. An infinite one times a derivative that underflows is open. */
export function upstreamOf(shape: readonly number[], seed: number): TensorSpec {
  return new Floats(shape, 'smooth', 2, seed);
}

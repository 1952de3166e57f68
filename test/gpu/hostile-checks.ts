// Takes ops, and gives a check per op: hostile values in sizes round every edge, the GPU against the CPU device, forward
// and backward, in either dtype, by every plan that is given. Free of any test runner.
import fc from 'fast-check';
import type { Device } from '../../src/index.ts';
import { sizeOf } from '../../src/core/shape.ts';
import { callsOf, familyOf, type Call, type Values } from '../calls.ts';
import { ensure, type Check } from '../check.ts';
import { COLUMNS, HOSTILE, ROWS } from '../hostile.ts';
import { isExpected, mixesOf } from './hostile-exceptions.ts';
import { hostileDifferences, outcome, referenceOf, type FloatDType } from './judge.ts';

/** The devices of a run: the one that computes in float64, and GPU devices by the name of their plan. */
export interface HostileDevices {
  readonly cpu: Device;
  readonly plans: readonly (readonly [string, Device])[];
}

/** One call to try: its shape, its values, and what is drawn otherwise. */
interface Trial {
  readonly shape: readonly [rows: number, columns: number];
  /** Another family in each row, or one of them. */
  readonly kind: Values;
  readonly dtypes: readonly FloatDType[];
  readonly seed: number;
}

const BOTH = ['float32', 'float16'] as const;
/** So many elements a call at most: more rows tell no more. */
const MOST = 2 ** 16;

/**
 * How much of an op is tried: `few` is for `npm test`, `some` for Firefox and for `npm run test:op`, `all` is every size with
 * rows of every family, and each family by itself, for the long lane.
 */
export type Amount = 'few' | 'some' | 'all';

/**
 * Of ops whose kernels depend on the shape: rows enough for each family, a row in registers, one that needs several passes, and
 * one that several workgroups share. The long lane has every way to split rows.
 */
const QUICK: readonly (readonly [number, number])[] = [
  [129, 64],
  [200, 257],
  [1, 50257],
];
/** Of huge values by themselves: sizes that were tried, so that no more pipelines are made. */
const HUGE_SIZES = QUICK.slice(0, 2);
/** Of the others. */
const FEW_SIZES: readonly (readonly [number, number])[] = [
  [129, 64],
  [3, 4097],
];
/** In the long lane, beside every size, of ops whose kernels do not depend on the shape. */
const MORE_SIZES: readonly (readonly [number, number])[] = [
  ...FEW_SIZES,
  [1, 50257],
  [8, 8193],
  [129, 64],
  [200, 257],
  [768, 33],
];

/** A number that is the same for the same words. */
function seedOf(...words: readonly (string | number)[]): number {
  let hash = 2166136261;
  for (const char of words.join()) hash = Math.imul(hash ^ char.charCodeAt(0), 16777619) >>> 0;
  return hash >>> 1;
}

/** A size for the formula; of ops whose kernels depend on the shape another one beside it, in float16. */
function fewTrials(op: string): Trial[] {
  const sizes = familyOf(op).adaptive ? QUICK.slice(0, 2) : FEW_SIZES.slice(0, 1);
  return mixesOf(op).flatMap((kind) =>
    sizes.map((shape, i) => ({
      shape,
      kind,
      dtypes: [i === 0 ? 'float32' : 'float16'],
      seed: seedOf(op, ...shape),
    })),
  );
}

function someTrials(op: string): Trial[] {
  const { adaptive } = familyOf(op);
  const sizes = adaptive ? QUICK : FEW_SIZES;
  const huge = adaptive ? HUGE_SIZES : FEW_SIZES;
  return mixesOf(op).flatMap((kind) =>
    (kind === 'huge' ? huge : sizes).map((shape, i) => ({
      shape,
      kind,
      // Each is other pipelines.
      dtypes: i === 0 ? BOTH : ['float32'],
      seed: seedOf(op, ...shape),
    })),
  );
}

function allTrials(op: string): Trial[] {
  const { adaptive } = familyOf(op);
  const shapes = adaptive
    ? COLUMNS.flatMap((columns, i) => {
        const fitting = ROWS.filter((rows) => rows * columns <= MOST);
        const many = fitting[fitting.length - 1 - (i % Math.min(3, fitting.length))] ?? 1;
        return [i % 2 === 0 ? 1 : 3, many].map((rows) => [rows, columns] as const);
      })
    : MORE_SIZES;
  const mixed = shapes.flatMap((shape) => mixesOf(op).map((kind) => ({ shape, kind })));
  const alone = HOSTILE.map((kind, i) => ({
    shape:
      (
        [
          [1, 8193],
          [3, 513],
          [129, 64],
        ] as const
      )[i % 3] ?? ([1, 1] as const),
    kind,
  }));
  return [...mixed, ...alone].map(({ shape, kind }, i) => ({
    shape,
    kind,
    dtypes: [i % 2 === 0 ? 'float32' : 'float16'],
    seed: seedOf(op, typeof kind === 'string' ? kind : kind.name, ...shape),
  }));
}

function callOf(op: string, { shape, kind, seed }: Trial): Call {
  const drawn = fc.constant(shape).map((extents) => [...extents]);
  const [call] = fc.sample(callsOf(op, kind, drawn), { seed, numRuns: 1 });
  if (!call) throw new Error(`no call of ${op}`);
  return call;
}

/** What a call is, for people. */
function describeCall({ op, positional, optional, options }: Call): string {
  const shapes = Object.entries({ ...positional, ...optional }).map(
    ([name, spec]) => `${name} ${fc.stringify(spec).slice(0, 60)}`,
  );
  return `${op}(${shapes.join(', ')}, ${JSON.stringify(options)})`;
}

/** Where a trial's results are wrong, for people. */
async function wrongOf(
  op: string,
  trial: Trial,
  { cpu, plans }: HostileDevices,
): Promise<string[]> {
  const call = callOf(op, trial);
  const wrong: string[] = [];
  const elements = Object.values(call.positional).map(({ shape }) => sizeOf(shape));
  if (Math.max(...elements) > 4 * MOST) throw new Error(`${describeCall(call)} is too large`);
  for (const dtype of trial.dtypes) {
    const verdict = await referenceOf(call, trial.seed, dtype, cpu);
    for (const [plan, gpu] of plans) {
      const actual = await outcome(call, trial.seed, dtype, gpu);
      const found = hostileDifferences(call, dtype, verdict, actual, (difference) =>
        isExpected(call, difference),
      );
      if (found.length > 0) wrong.push(`${plan}, ${dtype}: ${describeCall(call)}`, ...found);
    }
  }
  return wrong;
}

const TRIALS = { few: fewTrials, some: someTrials, all: allTrials };

/** A check per op. */
export function hostileChecks(ops: readonly string[], amount: Amount): Check<HostileDevices>[] {
  return ops.map((op) => ({
    name: op,
    run: async (devices) => {
      const wrong: string[] = [];
      for (const trial of TRIALS[amount](op)) {
        wrong.push(...(await wrongOf(op, trial, devices)));
      }
      ensure(wrong.length === 0, wrong.slice(0, 60).join('\n'));
    },
  }));
}

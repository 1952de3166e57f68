// Takes ops, and how many calls of each to draw, and gives a test per op: the GPU against the CPU device, forward and
// backward, in either dtype, and written over inputs. The report of a failure holds the seed.
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { init, manualSeed, scope, type Device } from '../../src/index.ts';
import { sameShape } from '../../src/core/shape.ts';
import {
  apply,
  argumentsOf,
  callsOf,
  elementwise,
  familyOf,
  resultOf,
  upload,
  type Call,
  type Upload,
} from '../calls.ts';
import { openGpu, releaseGpu } from '../open.ts';
import { borrow } from './gpu-device.ts';
import { isExpected, mixesOf } from './hostile-exceptions.ts';
import {
  differences,
  hostileDifferences,
  outcome,
  referenceOf,
  type FloatDType,
  type Outcome,
} from './judge.ts';

/** This adapter, and the same passed for hardware: the planner chooses other kernels and sizes. */
const ADAPTERS = ['as it is', 'as hardware'] as const;
/** Where the planner looks at the kind of adapter: sums, rows and matrices. */
const adaptersFor = (op: string): readonly (typeof ADAPTERS)[number][] =>
  familyOf(op).adaptive ? ADAPTERS : ['as it is'];

/** Ops that are given no tensor to write to. */
const WITHOUT_OUT = ['reshape', 'max'];

/** The result written over each input that has its shape; calls are repeatable. */
export async function inPlace(
  call: Call,
  seed: number,
  dtype: FloatDType,
  gpu: Device,
  place: Upload,
): Promise<Map<string, number[]>> {
  const values = new Map<string, number[]>();
  if (WITHOUT_OUT.includes(call.op) || STORED_ALIKE.includes(call.op)) return values;
  for (const name of Object.keys(call.positional)) {
    manualSeed(seed);
    const args = argumentsOf(call, gpu, { dtype, place });
    const input = args.tensors[name];
    if (!input) throw new Error(`no ${name}`);
    const plain = scope(() => resultOf(call, args));
    if (input.dtype === plain.dtype && sameShape(plain.shape, input.shape)) {
      manualSeed(seed);
      expect(apply(call, args, { out: input })).toBe(input);
      values.set(name, [...(await input.data())]);
    }
    plain.dispose();
    for (const one of Object.values(args.tensors)) one.dispose();
  }
  return values;
}

export interface Setting {
  readonly dtype: FloatDType;
  readonly adapter: (typeof ADAPTERS)[number];
  /** Whether tensors are in buffers of a caller. Each is a pipeline of its own, so not often. */
  readonly borrowed: boolean;
  /** Of the upstream gradient, and of what is random. */
  readonly seed: number;
}

/** Elementwise ops differ in their formula only: a few stand for all in how tensors are stored. */
const STORED_ALIKE = elementwise.filter((op) => !['relu', 'leakyRelu', 'tanh'].includes(op));

export const settingsFor = (op: string, both = false): fc.Arbitrary<Setting> => {
  const alike = STORED_ALIKE.includes(op);
  return fc.record({
    dtype: fc.constantFrom<FloatDType>('float32', ...(alike ? [] : ['float16' as const])),
    adapter: fc.constantFrom(...(both ? ADAPTERS : adaptersFor(op))),
    borrowed: alike ? fc.constant(false) : fc.integer({ min: 0, max: 3 }).map((n) => n === 3),
    seed: fc.nat(),
  });
};

export interface Draws {
  readonly draws: number;
  /** Whether one call in three has hostile values. */
  readonly hostile?: boolean;
  /** Whether each op has devices of its own. */
  readonly fresh?: boolean;
  /** Numbers of calls of single ops, where they are not as many. */
  readonly fewer?: Readonly<Record<string, number>>;
  /** Draws the calls of an earlier run again. */
  readonly seed?: number;
  /** Milliseconds after which no more calls of an op are drawn. */
  readonly timeLimit?: number;
}

/** A call, and whether its values are hostile: then where it may be off depends on them. */
interface Drawn {
  readonly call: Call;
  readonly hostile: boolean;
}

function drawnOf(op: string, hostile: boolean): fc.Arbitrary<Drawn> {
  const friendly = callsOf(op).map((call): Drawn => ({ call, hostile: false }));
  if (!hostile) return friendly;
  const others = fc
    .constantFrom(...mixesOf(op))
    .chain((kind) => callsOf(op, kind))
    .map((call): Drawn => ({ call, hostile: true }));
  return fc.oneof({ arbitrary: friendly, weight: 2 }, { arbitrary: others, weight: 1 });
}

export function randomCallSuite(
  ops: readonly string[],
  { draws, fewer = {}, seed, timeLimit, hostile = false, fresh = false }: Draws,
): void {
  let gpus: Record<(typeof ADAPTERS)[number], Device>;
  let cpu: Device;
  // Of many draws each op has devices, and so pipelines, of its own: those of all together take more than 8 GB.
  const [before, after] = fresh ? [beforeEach, afterEach] : [beforeAll, afterAll];
  before(async () => {
    cpu = await init({ backend: 'cpu' });
    gpus = {
      'as it is': await openGpu(),
      'as hardware': await openGpu({ tuning: 'hardware' }),
    };
  });
  after(async () => {
    for (const gpu of Object.values(gpus)) gpu.dispose();
    if (fresh) await releaseGpu();
  });

  const check = async ({ call, hostile: strange }: Drawn, setting: Setting): Promise<void> => {
    const { dtype, adapter, borrowed, seed: upstream } = setting;
    const gpu = gpus[adapter];
    const place = borrowed ? borrow : upload;
    const verdict = strange
      ? await referenceOf(call, upstream, dtype, cpu)
      : { expected: await outcome(call, upstream, dtype, cpu), flushed: null, moved: new Map() };
    const judge = (expected: Outcome, actual: Outcome): string[] =>
      strange
        ? hostileDifferences(call, dtype, { ...verdict, expected }, actual, (difference) =>
            isExpected(call, difference),
          )
        : differences(call, dtype, expected, actual);
    const { expected } = verdict;
    const wrong = judge(expected, await outcome(call, upstream, dtype, gpu, place));
    const out: Outcome = new Map([['out', expected.get('out') ?? []]]);
    for (const [name, written] of await inPlace(call, upstream, dtype, gpu, place)) {
      const over = judge(out, new Map([['out', written]]));
      wrong.push(...over.map((line) => `written over ${name}: ${line}`));
    }
    if (wrong.length > 0) expect.fail(wrong.join('\n'));
  };

  describe('random calls', () => {
    for (const op of ops) {
      it(op, { timeout: timeLimit === undefined ? 3_600_000 : 2 * timeLimit }, async () => {
        const buffers = ADAPTERS.map((adapter) => gpus[adapter].stats().liveBuffers);
        await fc.assert(fc.asyncProperty(drawnOf(op, hostile), settingsFor(op, hostile), check), {
          numRuns: fewer[op] ?? draws,
          ...(seed === undefined ? {} : { seed }),
          ...(timeLimit === undefined
            ? {}
            : { interruptAfterTimeLimit: timeLimit, markInterruptAsFailure: false }),
          includeErrorInReport: true,
        });
        for (const adapter of ADAPTERS) await gpus[adapter].synchronize();
        expect(ADAPTERS.map((adapter) => gpus[adapter].stats().liveBuffers)).toEqual(buffers);
      });
    }
  });
}

// In: ops, and how many calls of each to draw. Out: a test per op: the GPU against the CPU device, forward and backward, in
// either dtype, and written over inputs. The report of a failure holds the seed.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalog } from '../../src/catalog.ts';
import { init, manualSeed, scope, tensor, type Device, type Tensor } from '../../src/index.ts';
import { sameShape } from '../../src/shape.ts';
import {
  apply,
  argumentsOf,
  callsOf,
  elementwise,
  familyOf,
  resultOf,
  upload,
  upstreamOf,
  type Call,
  type Upload,
} from '../calls.ts';
import { classOf, SMALLEST_NORMAL, ulp16, ulp32 } from '../ulp.ts';
import { borrow, requestHardwareLike } from './gpu-device.ts';

/** This adapter, and the same passed for hardware: the planner chooses other kernels and sizes. */
const ADAPTERS = ['as it is', 'as hardware'] as const;
/** Where the planner looks at the kind of adapter: sums, rows and matrices. */
const adaptersFor = (op: string): readonly (typeof ADAPTERS)[number][] =>
  familyOf(op).adaptive ? ADAPTERS : ['as it is'];
type FloatDType = 'float32' | 'float16';

/** The result of a call and its gradients, on one device. */
export async function outcome(
  call: Call,
  seed: number,
  dtype: FloatDType,
  device: Device,
  place: Upload = upload,
): Promise<Map<string, number[]>> {
  manualSeed(seed);
  const tensors = scope(() => {
    const args = argumentsOf(call, device, { dtype, grad: true, place });
    const out = resultOf(call, args);
    const upstream = upstreamOf(out.shape, seed);
    out.backward(tensor([...upstream.data], { shape: upstream.shape, dtype, device }));
    const results: [string, Tensor][] = [['out', out]];
    for (const name of call.differentiable) {
      const grad = args.tensors[name]?.grad;
      if (!grad) throw new Error(`no gradient for ${name}`);
      results.push([name, grad]);
    }
    return results;
  });
  const values = new Map<string, number[]>();
  for (const [name, result] of tensors) {
    values.set(name, [...(await result.data())]);
    result.dispose();
  }
  return values;
}

/** The result written over each input that has its shape; calls are repeatable. */
export async function inPlace(
  call: Call,
  seed: number,
  dtype: FloatDType,
  gpu: Device,
  place: Upload,
): Promise<Map<string, number[]>> {
  const values = new Map<string, number[]>();
  if (call.op === 'reshape' || STORED_ALIKE.includes(call.op)) return values;
  for (const name of Object.keys(call.positional)) {
    manualSeed(seed);
    const args = argumentsOf(call, gpu, { dtype, place });
    const input = args.tensors[name];
    if (!input) throw new Error(`no ${name}`);
    const plain = scope(() => resultOf(call, args));
    if (input.dtype === dtype && sameShape(plain.shape, input.shape)) {
      manualSeed(seed);
      expect(apply(call, args, { out: input })).toBe(input);
      values.set(name, [...(await input.data())]);
    }
    plain.dispose();
    for (const one of Object.values(args.tensors)) one.dispose();
  }
  return values;
}

interface Bound {
  readonly forward: number;
  readonly backward: number;
}

/** Declared accuracy; that of the support ops is for the sums they are made of. */
function accuracyOf(op: string): Bound {
  return catalog.find((candidate) => candidate.op === op)?.accuracy ?? { forward: 2, backward: 4 };
}

export function differences(
  call: Call,
  dtype: FloatDType,
  expected: Map<string, number[]>,
  actual: Map<string, number[]>,
): string[] {
  const { forward, backward } = accuracyOf(call.op);
  const wrong: string[] = [];
  for (const [name, values] of expected) {
    const given = actual.get(name) ?? [];
    if (given.length !== values.length) wrong.push(`${name} has ${given.length} elements`);
    // With a bias the function's argument is rounded first: its condition number is added.
    const biased = elementwise.includes(call.op) && 'bias' in call.optional;
    const ulps = (name === 'out' ? forward : backward) + (biased ? 2 : 0);
    // Of sums, relative to their terms; upstream gradients are at most 2.
    const scale = call.scales?.[name] ?? call.scale;
    const slack = scale * 2 ** -22 * (name === 'out' ? 1 : 2);
    values.forEach((e, i) => {
      const value = given[i] ?? NaN;
      const float32 = (ulps + 0.5) * ulp32(e) + slack + 4 * SMALLEST_NORMAL;
      const allowed = dtype === 'float16' ? float32 + ulp16(e) : float32;
      const ok =
        classOf(e) === 'finite' ? Math.abs(value - e) <= allowed : classOf(value) === classOf(e);
      if (!ok) wrong.push(`${name}[${i}] = ${value}, CPU ${e}, allowed ±${allowed}`);
    });
  }
  return wrong.slice(0, 5);
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

export const settingsFor = (op: string): fc.Arbitrary<Setting> => {
  const alike = STORED_ALIKE.includes(op);
  return fc.record({
    dtype: fc.constantFrom<FloatDType>('float32', ...(alike ? [] : ['float16' as const])),
    adapter: fc.constantFrom(...adaptersFor(op)),
    borrowed: alike ? fc.constant(false) : fc.integer({ min: 0, max: 3 }).map((n) => n === 3),
    seed: fc.nat(),
  });
};

export interface Draws {
  readonly draws: number;
  /** Draws the calls of an earlier run again. */
  readonly seed?: number;
  /** Milliseconds after which no more calls of an op are drawn. */
  readonly timeLimit?: number;
}

export function randomCallSuite(ops: readonly string[], { draws, seed, timeLimit }: Draws): void {
  let gpus: Record<(typeof ADAPTERS)[number], Device>;
  let cpu: Device;
  beforeAll(async () => {
    cpu = await init({ backend: 'cpu' });
    gpus = {
      'as it is': await init({ backend: 'webgpu' }),
      'as hardware': await init({ device: await requestHardwareLike() }),
    };
  });
  afterAll(() => {
    for (const gpu of Object.values(gpus)) gpu.dispose();
  });

  const check = async (call: Call, setting: Setting): Promise<void> => {
    const { dtype, adapter, borrowed, seed: upstream } = setting;
    const gpu = gpus[adapter];
    const place = borrowed ? borrow : upload;
    const expected = await outcome(call, upstream, dtype, cpu);
    const actual = await outcome(call, upstream, dtype, gpu, place);
    const wrong = differences(call, dtype, expected, actual);
    const out = new Map([['out', expected.get('out') ?? []]]);
    for (const [name, written] of await inPlace(call, upstream, dtype, gpu, place)) {
      const over = differences(call, dtype, out, new Map([['out', written]]));
      wrong.push(...over.map((line) => `written over ${name}: ${line}`));
    }
    if (wrong.length > 0) expect.fail(wrong.join('\n'));
  };

  describe('random calls', () => {
    for (const op of ops) {
      it(op, { timeout: timeLimit === undefined ? 3_600_000 : 2 * timeLimit }, async () => {
        const before = ADAPTERS.map((adapter) => gpus[adapter].stats().liveBuffers);
        await fc.assert(fc.asyncProperty(callsOf(op), settingsFor(op), check), {
          numRuns: draws,
          ...(seed === undefined ? {} : { seed }),
          ...(timeLimit === undefined
            ? {}
            : { interruptAfterTimeLimit: timeLimit, markInterruptAsFailure: false }),
          includeErrorInReport: true,
        });
        for (const adapter of ADAPTERS) await gpus[adapter].synchronize();
        expect(ADAPTERS.map((adapter) => gpus[adapter].stats().liveBuffers)).toEqual(before);
      });
    }
  });
}

// Takes a call, a device, a reference, and gives result and gradients, and where they are further apart than the op's
// declared accuracy.
import { catalog } from '../../src/catalog.ts';
import { manualSeed, scope, tensor, type Device, type Tensor } from '../../src/index.ts';
import {
  argumentsOf,
  elementwise,
  familyOf,
  randomNumbers,
  resultOf,
  upload,
  upstreamOf,
  type Call,
  type TensorSpec,
  type Upload,
} from '../calls.ts';
import type { Difference } from './hostile-exceptions.ts';
import { classOf, isSubnormal, SMALLEST_NORMAL, ulp16, ulp32 } from '../ulp.ts';

export type FloatDType = 'float32' | 'float16';
/** Elements of the result, as `out`, and of each gradient by the tensor's name. */
export type Outcome = ReadonlyMap<string, ArrayLike<number>>;

/** The result of a call and its gradients, on one device. */
export async function outcome(
  call: Call,
  seed: number,
  dtype: FloatDType,
  device: Device,
  place: Upload = upload,
  upstreamAs: (value: number) => number = (value) => value,
): Promise<Outcome> {
  manualSeed(seed);
  const tensors = scope(() => {
    const args = argumentsOf(call, device, { dtype, grad: true, place });
    const out = resultOf(call, args);
    if (call.differentiable.length > 0) {
      const { shape, data } = upstreamOf(out.shape, seed);
      out.backward(tensor(data.map(upstreamAs), { shape, dtype: out.dtype, device }));
    }
    const results: [string, Tensor][] = [['out', out]];
    for (const name of call.differentiable) {
      const grad = args.tensors[name]?.grad;
      if (!grad) throw new Error(`no gradient for ${name}`);
      results.push([name, grad]);
    }
    return results;
  });
  const read = await Promise.all(tensors.map(([, result]) => result.data()));
  for (const [, result] of tensors) result.dispose();
  return new Map(tensors.map(([name], i) => [name, read[i] ?? []]));
}

interface Bound {
  readonly forward: number;
  readonly backward: number;
}

/** Declared accuracy; that of the support ops is for the sums they are made of. */
function accuracyOf(op: string): Bound {
  return catalog.find((candidate) => candidate.op === op)?.accuracy ?? { forward: 2, backward: 4 };
}

/** The error allowed at a finite element, by the op's declared accuracy and the terms that the call names. */
export function allowance(
  call: Call,
  dtype: FloatDType,
  name: string,
): (expected: number) => number {
  const { forward, backward } = accuracyOf(call.op);
  // With a bias the function's argument is rounded first: its condition number is added.
  const biased = elementwise.includes(call.op) && 'bias' in call.optional;
  const ulps = (name === 'out' ? forward : backward) + (biased ? 2 : 0);
  // Of sums, relative to their terms; upstream gradients are at most 2.
  const scale = call.scales?.[name] ?? call.scale;
  const slack = scale * 2 ** -22 * (name === 'out' ? 1 : 2);
  return (e) => {
    const float32 = (ulps + 0.5) * ulp32(e) + slack + 4 * SMALLEST_NORMAL;
    return dtype === 'float16' ? float32 + ulp16(e) : float32;
  };
}

export function differences(
  call: Call,
  dtype: FloatDType,
  expected: Outcome,
  actual: Outcome,
): string[] {
  const wrong: string[] = [];
  for (const [name, values] of expected) {
    const given = actual.get(name) ?? [];
    if (given.length !== values.length) wrong.push(`${name} has ${given.length} elements`);
    const allowed = allowance(call, dtype, name);
    for (let i = 0; i < values.length; i++) {
      const [e, value] = [values[i] ?? NaN, given[i] ?? NaN];
      const ok =
        classOf(e) === 'finite' ? Math.abs(value - e) <= allowed(e) : classOf(value) === classOf(e);
      if (!ok) wrong.push(`${name}[${i}] = ${value}, CPU ${e}, allowed ±${allowed(e)}`);
    }
  }
  return wrong.slice(0, 5);
}

/** A call with each element of its float tensors changed. */
function changed(call: Call, change: (value: number) => number): Call {
  const each = (tensors: Call['positional']): Call['positional'] =>
    Object.fromEntries(
      Object.entries(tensors).map(([name, spec]): [string, TensorSpec] => [
        name,
        spec.dtype === 'float' ? { ...spec, data: spec.data.map(change) } : spec,
      ]),
    );
  return { ...call, positional: each(call.positional), optional: each(call.optional) };
}

const LARGEST: Readonly<Record<FloatDType, number>> = { float32: 2 ** 128, float16: 65520 };
/** How far an element may be off in units of what half a ULP of every input moves it by. */
const UNITS = 8;
const DRAWS = 2;

function unitsOf({ op, positional }: Call): number {
  const extents = Object.values(positional).flatMap(({ shape }) => shape);
  return familyOf(op).products ? Math.max(UNITS, Math.sqrt(Math.max(1, ...extents))) : UNITS;
}

/** What a hostile call may give: the reference's result, and how far off its elements may be. */
export interface Verdict {
  readonly expected: Outcome;
  /** The same of inputs whose subnormals are 0, where there are any: a device may flush them. */
  readonly flushed: Outcome | null;
  readonly moved: ReadonlyMap<string, Float64Array>;
}

/**
 * The reference of a call with hostile values. Where their magnitude decides how far float32 may be off, as where terms of
 * 1e30 cancel, half a ULP more or less of each input says how far.
 */
export async function referenceOf(
  call: Call,
  seed: number,
  dtype: FloatDType,
  cpu: Device,
): Promise<Verdict> {
  const expected = await outcome(call, seed, dtype, cpu);
  const inputs = Object.values({ ...call.positional, ...call.optional });
  const subnormal = inputs.some(({ data }) => data.some(isSubnormal));
  const flushed = subnormal
    ? await outcome(
        changed(call, (value) => (isSubnormal(value) ? value * 0 : value)),
        seed,
        dtype,
        cpu,
      )
    : null;
  const moved = new Map<string, Float64Array>();
  for (const [name, values] of expected) moved.set(name, new Float64Array(values.length));
  const { shiftInvariant, products } = familyOf(call.op);
  if (shiftInvariant) return { expected, flushed, moved };
  if (products) {
    const { activation: _, ...options } = call.options;
    const sizes = { ...changed(call, Math.abs), options };
    const terms = await outcome(sizes, seed, 'float32', cpu, upload, Math.abs);
    for (const [name, values] of terms) {
      if (name === 'out' && products === 'gradients') continue;
      moved.set(
        name,
        Float64Array.from(values, (value) => Math.min(Math.abs(value), 2 ** 128) * 2 ** -24 || 0),
      );
    }
    return { expected, flushed, moved };
  }
  for (let draw = 0; draw < DRAWS; draw++) {
    const random = randomNumbers(seed + draw);
    // All in one direction, or each in its own; twice what is meant, as what is stored is rounded to float32 again.
    const by = (): number => (draw === 0 || random() < 0.5 ? 1 - 2 ** -23 : 1 + 2 ** -23);
    const other = await outcome(
      changed(call, (value) => (Math.abs(value) === 1 ? value : Math.fround(value * by()))),
      seed,
      'float32',
      cpu,
    );
    for (const [name, values] of expected) {
      const most = moved.get(name) ?? new Float64Array();
      const near = other.get(name) ?? [];
      for (let i = 0; i < most.length; i++) {
        const step = Math.abs((near[i] ?? NaN) - (values[i] ?? NaN)) / 2;
        if (step > (most[i] ?? 0) && step < Infinity) most[i] = step;
      }
    }
  }
  return { expected, flushed, moved };
}

/** The elements of a hostile call's result and gradients that are not as they should be. */
export function hostileDifferences(
  call: Call,
  dtype: FloatDType,
  { expected, flushed, moved }: Verdict,
  actual: Outcome,
  isExpected: (difference: Difference) => boolean = () => false,
): string[] {
  const wrong: string[] = [];
  const most = LARGEST[dtype];
  const units = unitsOf(call);
  for (const [name, values] of expected) {
    const given = actual.get(name) ?? [];
    if (given.length !== values.length) wrong.push(`${name} has ${given.length} elements`);
    const bound = allowance(call, dtype, name);
    const movedBy = moved.get(name) ?? [];
    for (let i = 0; i < values.length; i++) {
      const value = given[i] ?? NaN;
      const matches = (e: number): boolean => {
        const kind = classOf(e);
        if (kind === 'nan') return Number.isNaN(value);
        // Next to the largest number rounding decides whether it is one.
        const [finite, other] = kind === 'finite' ? [e, value] : [value, e];
        const allowed = bound(finite) + units * (movedBy[i] ?? 0);
        if (classOf(other) === 'finite') return Math.abs(other - finite) <= allowed;
        if (other === finite) return true;
        return Math.abs(finite) + allowed >= most && other === Infinity * Math.sign(finite);
      };
      const e = values[i] ?? NaN;
      const instead = flushed?.get(name)?.[i];
      if (matches(e) || (instead !== undefined && matches(instead))) continue;
      if (isExpected({ name, index: i, dtype, expected: e, value })) continue;
      wrong.push(
        `${name}[${i}] = ${value}, CPU ${e}, allowed ±${bound(e) + units * (movedBy[i] ?? 0)}`,
      );
    }
  }
  return wrong.length > 5 ? [...wrong.slice(0, 5), `… ${wrong.length} in all`] : wrong;
}

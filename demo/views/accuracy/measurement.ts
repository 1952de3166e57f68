// Takes an op, options, a device, and gives its largest errors in ULP, by sign and exponent of the input or by length of
// the row.
import { scope, tensor, type Device, type Tensor } from 'nonlin';
import type { Documented } from '../../../src/define/op.ts';
import { withBuiltins } from '../../../test/accuracy/builtins.ts';
import { applier, gatedOf, type Options } from '../../../test/accuracy/cases.ts';
import { random } from '../../../test/accuracy/inputs.ts';
import { FLUSHED, FLUSHED_GATED, ulpError } from '../../../test/accuracy/measure.ts';
import { LENGTHS, rowBound, sweepRows, termsOf } from '../../../test/accuracy/sweep.ts';
import { Float64Device, valuesOf } from '../../../test/unit/float64-device.ts';
import { compute } from '../../lab/curve.ts';
import { checkGoing, type Progress } from '../../lab/going.ts';
import { breathe } from '../../training/breathe.ts';

export const DIRECTIONS = ['forward', 'backward'] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** Errors over places along an axis. */
export interface Errors {
  /** The largest in ULP at each place; Infinity for a NaN or an infinity out of place. */
  readonly ulp: number[];
  /** The largest that is a number, and an input that has it. */
  worst: number;
  worstAt: number;
  /** Inputs whose result is NaN or infinite where it should be a number, or the other way round. */
  wrong: number;
  count: number;
}

export interface Measurement {
  /** Elementwise: sign and exponent as a number, see `placeOf`. Row-wise: log2 of the length. */
  readonly places: number[];
  readonly ours: Readonly<Record<Direction, Errors>>;
  /** With WGSL's built-ins, where somebody wrote that down and there is a GPU to ask. */
  readonly builtin: Readonly<Record<Direction, Errors>> | undefined;
  /** What the declaration promises at each place. */
  readonly bound: (direction: Direction, place: number) => number;
}

const LEAST = -126;
const MOST = 127;
/** Inputs of one call: the float64 reference takes some milliseconds for them. */
const CALL = 4096;

/** Where a power of two is along the axis: 0 in the middle, both signs to the sides. */
export const placeOf = (sign: number, exponent: number): number => sign * (exponent - LEAST + 1);

/** The power of two at a place. */
export function inputAt(place: number): number {
  return place === 0 ? 0 : Math.sign(place) * 2 ** (Math.abs(place) + LEAST - 1);
}

const noErrors = (): Errors => ({ ulp: [], worst: 0, worstAt: NaN, wrong: 0, count: 0 });
const both = () => ({ forward: noErrors(), backward: noErrors() });

/** Every power of two that float32 has, both signs, with random inputs of each. */
export async function measureElementwise(
  op: Documented,
  options: Options,
  perPlace: number,
  device: Device,
  progress: Progress,
): Promise<Measurement> {
  const exponents = Array.from({ length: MOST - LEAST + 1 }, (_, i) => LEAST + i);
  const places = [
    ...exponents.map((e) => placeOf(-1, e)).reverse(),
    ...exponents.map((e) => placeOf(1, e)),
  ];
  const naive = device.type === 'webgpu' ? withBuiltins(op) : undefined;
  const found = { ours: both(), builtin: naive ? both() : undefined };
  const exact = new Float64Device();
  const next = random(1);
  const each = Math.max(1, Math.floor(CALL / perPlace));
  for (let from = 0; from < places.length; from += each) {
    checkGoing(progress);
    const now = places.slice(from, from + each);
    progress.report(
      from / places.length,
      `${op.op}, inputs near ${inputAt(now[0] ?? 0).toPrecision(1)}`,
    );
    const x = Float32Array.from({ length: now.length * perPlace }, (_, i) => {
      return inputAt(now[Math.floor(i / perPlace)] ?? 0) * (1 + next());
    });
    const { whole, own } = inputsOf(op, x, next);
    const run = async (by: Documented) => {
      const call = applier(by, options, device, 'float32');
      const { y, slope } = await compute(call, whole, [1, whole.length], device);
      return { y, slope: own(slope) };
    };
    const [ours, builtin] = [await run(op), naive && (await run(naive))];
    await breathe();
    const want = reference(applier(op, options, exact, 'float32'), whole, exact);
    const gradOutput = new Float32Array(x.length).fill(1);
    const terms = termsOf(op, options, whole, 1, { out: want.y, gradOutput });
    const flushed = gatedOf(op) ? FLUSHED_GATED : FLUSHED;
    for (const direction of DIRECTIONS) {
      const forward = direction === 'forward';
      const right = forward ? want.y : own(want.slope);
      const term = forward ? terms.forward : terms.backward && own(terms.backward);
      const note = (errors: Errors, got: Float32Array) => {
        for (let k = 0; k < now.length; k++) {
          const range = [k * perPlace, (k + 1) * perPlace] as const;
          noteErrors(errors, range, flushed[direction], { x, got, want: right, term });
        }
      };
      note(found.ours[direction], direction === 'forward' ? ours.y : ours.slope);
      if (builtin && found.builtin) {
        note(found.builtin[direction], direction === 'forward' ? builtin.y : builtin.slope);
      }
    }
    await breathe();
  }
  return { places, ...found, bound: (direction) => op.accuracy[direction] };
}

interface Inputs {
  readonly whole: Float32Array;
  readonly own: <T extends Float32Array | Float64Array>(gradient: T) => T;
}

/**
 * What an op is called with for inputs `x`: of a gated unit `x` is the half that the activation is applied to, the other
 * half factors from 1 to 2. `own` picks the part of a gradient that belongs to `x`.
 */
function inputsOf(op: Documented, x: Float32Array, next: () => number): Inputs {
  const gated = gatedOf(op);
  if (!gated) return { whole: x, own: (gradient) => gradient };
  const at = gated.gate === 'first' ? 0 : x.length;
  const whole = Float32Array.from({ length: 2 * x.length }, () => 1 + next());
  whole.set(x, at);
  return { whole, own: (gradient) => gradient.subarray(at, at + x.length) as typeof gradient };
}

interface Results {
  readonly x: Float32Array;
  readonly got: Float32Array;
  readonly want: Float64Array;
  readonly term: Float64Array | undefined;
}

/** The largest error of a range of results, at one place. */
function noteErrors(
  errors: Errors,
  [from, to]: readonly [number, number],
  flushed: number,
  { x, got, want, term }: Results,
): void {
  let largest = 0;
  for (let i = from; i < to; i++) {
    const ulp = ulpError(got[i] ?? NaN, want[i] ?? NaN, term?.[i] ?? 0, flushed);
    largest = Math.max(largest, ulp);
    errors.count++;
    if (ulp === Infinity) errors.wrong++;
    else if (ulp > errors.worst) [errors.worst, errors.worstAt] = [ulp, x[i] ?? NaN];
  }
  errors.ulp.push(largest);
}

/** Value and derivative in float64. */
function reference(call: (x: Tensor) => Tensor, x: Float32Array, exact: Device) {
  return scope(() => {
    const input = tensor(x, { shape: [1, x.length], device: exact, requiresGrad: true });
    const out = call(input);
    const ones = new Float32Array(x.length).fill(1);
    out.backward(tensor(ones, { shape: out.shape, device: exact }));
    if (!input.grad) throw new Error('no gradient');
    return { y: valuesOf(out), slope: valuesOf(input.grad) };
  });
}

const LONGEST = 5000;
const ROW_ELEMENTS = 2 ** 13;

/** Rows of several lengths. */
export async function measureRows(
  op: Documented,
  options: Options,
  device: Device,
  progress: Progress,
): Promise<Measurement> {
  const lengths = LENGTHS.filter((length) => length < LONGEST);
  const ours = both();
  for (const [i, length] of lengths.entries()) {
    checkGoing(progress);
    progress.report(i / lengths.length, `${op.op}, rows of ${length}`);
    const errors = await sweepRows(device, op, options, length, ROW_ELEMENTS);
    for (const direction of DIRECTIONS) {
      const { ulp, x, finite } = errors[direction];
      const known = ours[direction];
      known.ulp.push(ulp);
      known.count += ROW_ELEMENTS;
      if (ulp === Infinity) known.wrong++;
      if (finite > known.worst) [known.worst, known.worstAt] = [finite, x];
    }
    await breathe();
  }
  return {
    places: lengths.map((length) => Math.log2(length)),
    ours,
    builtin: undefined,
    bound: (_, place) => rowBound(2 ** place),
  };
}

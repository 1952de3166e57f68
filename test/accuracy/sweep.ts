// Takes an op, option values and inputs, and gives its largest errors, forward and backward: the GPU against the declared
// float64 functions.
import { fromHost, type Tensor } from '../../src/core/tensor.ts';
import { encode, type FloatDType } from '../../src/core/dtype.ts';
import type { Documented } from '../../src/define/op.ts';
import type { Gated } from '../../src/define/gated.ts';
import type { Rowwise } from '../../src/define/rowwise.ts';
import { scope, softmax, type Device } from '../../src/index.ts';
import { isSubnormal, roundHalf } from '../ulp.ts';
import { Float64Device, valuesOf } from '../unit/float64-device.ts';
import { applier, epilogueOf, gatedOf, type Apply, type Options } from './cases.ts';
import { rowsOf, upstream, type Chunk } from './inputs.ts';
import { gumbelTerms } from './gumbel.ts';
import { measure, NONE, worse, type Worst } from './measure.ts';
import { isNorm, termsOfNorm } from './norms.ts';

export interface Errors {
  readonly forward: Worst;
  readonly backward: Worst;
}

const NO_ERRORS: Errors = { forward: NONE, backward: NONE };
const exact = new Float64Device();

const worseOf = (a: Errors, b: Errors): Errors => ({
  forward: worse(a.forward, b.forward),
  backward: worse(a.backward, b.backward),
});

/** Result and gradient on a device, still there. */
function compute(
  apply: Apply,
  x: Float32Array,
  rows: number,
  dtype: FloatDType,
  device: Device,
): { out: Tensor; grad: Tensor; gradOutput: Float32Array } {
  const input = fromHost(encode(dtype, x), [rows, x.length / rows], dtype, device, true);
  const out = apply(input);
  const gradOutput = upstream(out.size, dtype);
  out.backward(fromHost(encode(dtype, gradOutput), out.shape, dtype, device));
  if (!input.grad) throw new Error('no gradient');
  return { out, grad: input.grad, gradOutput };
}

/** The same in float64. */
function reference(apply: Apply, x: Float32Array, rows: number, dtype: FloatDType) {
  return scope(() => {
    const input = fromHost(x, [rows, x.length / rows], 'float32', exact, true);
    const out = apply(input);
    const gradOutput = upstream(out.size, dtype);
    out.backward(fromHost(gradOutput, out.shape, 'float32', exact));
    if (!input.grad) throw new Error('no gradient');
    return { out: valuesOf(out), grad: valuesOf(input.grad), gradOutput };
  });
}

export interface Terms {
  readonly forward?: Float64Array;
  readonly backward?: Float64Array;
}

/** Magnitudes of the largest terms of results and gradients, where the op declares them. */
export function termsOf(
  op: Documented,
  options: Options,
  x: Float32Array | Float64Array,
  rows: number,
  { out, gradOutput }: { out: Float64Array; gradOutput: Float32Array | Float64Array },
): Terms {
  const epilogue = epilogueOf(op);
  if (epilogue?.largestTerm) {
    const { largestTerm } = epilogue;
    const params = epilogue.resolve(op.op, options);
    const term = (v: number, i: number): number => largestTerm(v, params) * (gradOutput[i] ?? NaN);
    return { backward: Float64Array.from<number>(x, term) };
  }
  if (isNorm(op)) return termsOfNorm(op, x, rows, gradOutput);
  const n = x.length / rows;
  if (op.op === 'gumbelSoftmax') {
    return gumbelTerms(x, n, Number(options.tau ?? 1), { out, gradOutput });
  }
  const row: unknown = op.op === 'softmax2d' ? softmax : op;
  const ofRow = (row as Partial<Pick<Rowwise, 'largestTerm'>>).largestTerm;
  const gated = gatedOf(op);
  if (gated) return termsOfGated(gated, options, x, gradOutput);
  if (epilogue || !ofRow) return {};
  const terms = { forward: new Float64Array(x.length), backward: new Float64Array(x.length) };
  for (let i = 0; i < x.length; i += n) {
    const row = (of: Float32Array | Float64Array) => Float64Array.from(of.subarray(i, i + n));
    ofRow.forward?.(row(x), terms.forward.subarray(i, i + n));
    ofRow.backward?.(row(out), row(gradOutput), terms.backward.subarray(i, i + n));
  }
  return terms;
}

/** Of the half that the activation is applied to: its derivative's largest term, times what it is multiplied by. */
function termsOfGated(
  { op, activation, gate }: Gated,
  options: Options,
  x: Float32Array | Float64Array,
  gradOutput: Float32Array | Float64Array,
): Terms {
  const { largestTerm, resolve } = activation.epilogue;
  if (!largestTerm) return {};
  const params = resolve(op, options);
  const n = x.length / 2;
  const [at, other] = gate === 'first' ? [0, n] : [n, 0];
  const backward = new Float64Array(x.length);
  for (let i = 0; i < n; i++) {
    const factor = (gradOutput[i] ?? NaN) * (x[other + i] ?? NaN);
    backward[at + i] = largestTerm(x[at + i] ?? NaN, params) * Math.abs(factor);
  }
  return { backward };
}

/** Both halves of a gated unit: inputs of the activation, and factors from 1 to 2, so that no product leaves the range. */
function halvesOf({ gate }: Gated, { x, subnormal }: Chunk): Chunk {
  const factors = upstream(x.length, 'float16');
  const both = new Float32Array(2 * x.length);
  both.set(gate === 'first' ? x : factors);
  both.set(gate === 'first' ? factors : x, x.length);
  return { x: both, subnormal };
}

/** The errors over inputs of one call; `by` is the op, or another way to write it. */
async function sweepOne(
  device: Device,
  op: Documented,
  by: Documented,
  options: Options,
  { x, subnormal }: Chunk,
  rows: number,
  dtype: FloatDType,
): Promise<Errors> {
  const results = scope(() => {
    const { out, grad } = compute(applier(by, options, device, dtype), x, rows, dtype, device);
    return { out, grad };
  });
  const [out, grad] = [await results.out.data(), await results.grad.data()];
  results.out.dispose();
  results.grad.dispose();
  const apply = applier(op, options, exact, 'float32');
  const right = [reference(apply, x, rows, dtype)];
  // A device may flush subnormal inputs to 0.
  const flushed = subnormal ? x.map((v) => (isSubnormal(v) ? v * 0 : v)) : undefined;
  if (flushed) right.push(reference(apply, flushed, rows, dtype));
  const [first] = right;
  if (!first) return NO_ERRORS;
  const terms = termsOf(op, options, x, rows, first);
  const gated = op.kind === 'gated';
  return {
    forward: measure(dtype, 'forward', {
      x,
      got: out,
      wants: right.map((one) => one.out),
      terms: terms.forward,
      gated,
    }),
    backward: measure(dtype, 'backward', {
      x,
      got: grad,
      wants: right.map((one) => one.grad),
      terms: terms.backward,
      gated,
    }),
  };
}

/** An elementwise op's largest errors over all chunks. */
export async function sweep(
  device: Device,
  op: Documented,
  options: Options,
  chunks: Iterable<Chunk>,
  dtype: FloatDType,
  by: Documented = op,
): Promise<Errors> {
  let worst = NO_ERRORS;
  const gated = gatedOf(op);
  for (const chunk of chunks) {
    const inputs = gated ? halvesOf(gated, chunk) : chunk;
    worst = worseOf(worst, await sweepOne(device, op, by, options, inputs, 1, dtype));
  }
  return worst;
}

/** A row-wise op's or a norm's largest errors over rows of `n` elements, `size` elements in all or a little more. */
export async function sweepRows(
  device: Device,
  op: Documented,
  options: Options,
  n: number,
  size: number,
  dtype: FloatDType = 'float32',
  by: Documented = op,
): Promise<Errors> {
  const rows = Math.max(4, Math.ceil(size / n));
  const offset = Number(options.offset ?? 0);
  const x = rowsOf(n, rows).map((v) => v + offset);
  // As stored, so that the reference starts from the same numbers.
  const stored = dtype === 'float16' ? x.map(roundHalf) : x;
  return sweepOne(device, op, by, options, { x: stored, subnormal: false }, rows, dtype);
}

/** Rows' lengths, and how their bounds grow: by 2 ULP each time the length doubles, as sums do. */
export const LENGTHS = [2, 3, 17, 64, 257, 1024, 4099, 65536];
export const rowBound = (n: number): number => 6 + 2 * Math.log2(n);

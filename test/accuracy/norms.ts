// Norms as the accuracy sweep calls them: rows of `n` elements, with a weight and a bias where the op has them; and the
// magnitudes that their errors are counted in where a result is a difference.
import { encode, type FloatDType } from '../../src/core/dtype.ts';
import { fromHost, type Tensor } from '../../src/core/tensor.ts';
import type { Documented } from '../../src/define/op.ts';
import {
  batchNorm,
  groupNorm,
  instanceNorm,
  layerNorm,
  localResponseNorm,
  normalize,
  reshape,
  rmsNorm,
  type Device,
} from '../../src/index.ts';
import { random } from './inputs.ts';

/** Neighbours of an element that localResponseNorm counts, and its other options: the defaults of PyTorch. */
const [SIZE, ALPHA, BETA, K] = [5, 1e-4, 0.75, 1];

/** Offsets of rows from 0: norms that subtract a mean are to be as exact far from it. */
export const OFFSETS: Readonly<Record<string, readonly number[]>> = {
  layerNorm: [0, 1e6],
  groupNorm: [0, 1e6],
  instanceNorm: [0, 1e6],
  batchNorm: [0, 1e6],
};

/** Numbers from 1 to 2 of either sign, exact in float16. */
function operand(n: number, seed: number): Float32Array {
  const next = random(seed);
  return Float32Array.from({ length: n }, () => {
    const size = 1 + Math.floor(next() * 1024) / 1024;
    return next() < 0.5 ? -size : size;
  });
}

interface Operands {
  readonly weight: Tensor;
  readonly bias: Tensor;
}

type Call = (
  x: Tensor,
  [rows, n]: readonly [number, number],
  of: (n: number) => Operands,
) => Tensor;

/** Of channels, each a row: [1, rows, n] for the op. */
const byChannel =
  (call: (x: Tensor, operands: Operands) => Tensor): Call =>
  (x, [rows, n], of) =>
    reshape(call(reshape(x, [1, rows, n]), of(rows)), [rows, n]);

const calls: Readonly<Record<string, Call>> = {
  layerNorm: (x, [, n], of) => layerNorm(x, [n], { ...of(n) }),
  rmsNorm: (x, [, n], of) => rmsNorm(x, [n], { weight: of(n).weight }),
  // one group of n channels: a row is an example
  groupNorm: (x, [, n], of) => groupNorm(x, 1, { ...of(n) }),
  instanceNorm: byChannel((x, operands) => instanceNorm(x, { ...operands })),
  batchNorm: byChannel((x, operands) => batchNorm(x, { ...operands, training: true })),
  normalize: (x) => normalize(x, { dim: -1 }),
  localResponseNorm: (x, [rows, n]) =>
    reshape(localResponseNorm(reshape(x, [rows, n, 1]), SIZE), [rows, n]),
};

export const isNorm = (op: Documented): boolean => op.kind === 'norm';

/** The norm of rows, [rows, n] to [rows, n]. */
export function normApplier(
  op: Documented,
  device: Device,
  dtype: FloatDType,
): (x: Tensor) => Tensor {
  const call = calls[op.op];
  if (!call) throw new Error(`the accuracy sweep has no call of ${op.op}`);
  const of = (n: number): Operands => {
    const made = (seed: number) => fromHost(encode(dtype, operand(n, seed)), [n], dtype, device);
    return { weight: made(3), bias: made(4) };
  };
  return (x) => call(x, [x.shape[0] ?? 0, x.shape[1] ?? 0], of);
}

const OF_CHANNEL = ['instanceNorm', 'batchNorm'];
const CENTRED = Object.keys(OFFSETS);

const mean = (values: Float64Array): number =>
  values.reduce((sum, v) => sum + v, 0) / values.length;

/** What the result and the gradient of one row are differences of. */
interface RowTerms {
  readonly forward?: Float64Array;
  readonly backward: Float64Array;
}

/**
 * Of results z w + b: z w, b, and w itself, what a deviation of the row becomes, as all elements share one mean and its error. Of
 * gradients r (g w - mean - z mean): what is subtracted.
 */
function standardised(
  x: Float64Array,
  g: Float64Array,
  { w, b, centred, eps }: { w: Float64Array; b: Float64Array; centred: boolean; eps: number },
): RowTerms {
  const about = mean(x);
  const middle = centred ? about + mean(x.map((v) => v - about)) : 0;
  const factor = 1 / Math.sqrt(mean(x.map((v) => (v - middle) ** 2)) + eps);
  const z = x.map((v) => (v - middle) * factor);
  const slope = g.map((v, i) => v * (w[i] ?? NaN));
  const [first, second] = [centred ? mean(slope) : 0, mean(slope.map((s, i) => s * (z[i] ?? NaN)))];
  const backward = slope.map(
    (s, i) => factor * Math.max(Math.abs(s), Math.abs(first), Math.abs((z[i] ?? NaN) * second)),
  );
  if (!centred) return { backward };
  const forward = w.map((v, i) => Math.abs(v) * Math.max(1, Math.abs(z[i] ?? NaN)));
  return { forward: forward.map((v, i) => Math.max(v, Math.abs(b[i] ?? NaN))), backward };
}

/** (g - y (y · g)) / N. */
function ofNormalize(x: Float64Array, g: Float64Array): RowTerms {
  const norm = Math.max(Math.sqrt(x.reduce((sum, v) => sum + v * v, 0)), 1e-12);
  const along = x.reduce((sum, v, i) => sum + (v / norm) * (g[i] ?? NaN), 0);
  return {
    backward: x.map((v, i) => Math.max(Math.abs(g[i] ?? NaN), Math.abs((v / norm) * along)) / norm),
  };
}

/** g d^-beta less the sum, over the windows that x is in, of 2 alpha beta / n x (g y / d). */
function ofLocalResponse(x: Float64Array, g: Float64Array): RowTerms {
  const window = (i: number): Float64Array =>
    x.subarray(Math.max(0, i - (SIZE >> 1)), i + ((SIZE - 1) >> 1) + 1);
  const d = x.map((_, i) => K + (ALPHA / SIZE) * window(i).reduce((sum, v) => sum + v * v, 0));
  const share = d.map((v, i) => (g[i] ?? NaN) * (x[i] ?? NaN) * v ** (-BETA - 1));
  return {
    backward: x.map((v, j) => {
      const first = Math.max(0, j - ((SIZE - 1) >> 1));
      const others = share.subarray(first, j + (SIZE >> 1) + 1);
      const sum = others.reduce((most, s) => Math.max(most, Math.abs(s)), 0);
      const own = Math.abs((g[j] ?? NaN) * (d[j] ?? NaN) ** -BETA);
      return Math.max(own, Math.abs(((2 * ALPHA * BETA) / SIZE) * v * sum));
    }),
  };
}

/** Magnitudes of the largest terms of results and gradients, row by row. */
export function termsOfNorm(
  op: Documented,
  x: ArrayLike<number>,
  rows: number,
  gradOutput: ArrayLike<number>,
): { forward?: Float64Array; backward: Float64Array } {
  const n = x.length / rows;
  const centred = CENTRED.includes(op.op);
  const [weight, bias] = [3, 4].map((seed) =>
    operand(OF_CHANNEL.includes(op.op) ? rows : n, seed),
  ) as [Float32Array, Float32Array];
  const [forward, backward] = [new Float64Array(x.length), new Float64Array(x.length)];
  const all = Float64Array.from(x);
  const upstream = Float64Array.from(gradOutput);
  for (let r = 0; r < rows; r++) {
    const [row, g] = [all, upstream].map((one) => one.subarray(r * n, r * n + n)) as [
      Float64Array,
      Float64Array,
    ];
    const ofRow = (values: Float32Array): Float64Array =>
      OF_CHANNEL.includes(op.op)
        ? new Float64Array(n).fill(values[r] ?? NaN)
        : Float64Array.from(values);
    const terms =
      op.op === 'normalize'
        ? ofNormalize(row, g)
        : op.op === 'localResponseNorm'
          ? ofLocalResponse(row, g)
          : standardised(row, g, {
              w: ofRow(weight),
              b: ofRow(bias),
              centred,
              eps: Number(op.params.eps),
            });
    if (terms.forward) forward.set(terms.forward, r * n);
    backward.set(terms.backward, r * n);
  }
  return centred ? { forward, backward } : { backward };
}

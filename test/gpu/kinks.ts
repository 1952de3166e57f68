// Takes a call of a loss of distances or cosines, and an element of a gradient, and gives how far off it may be where
// float32 does not tell on which side of a kink a row is: whether its loss is above 0, and which of two distances is the
// smaller.
import { squares } from '../../src/kernels/pair-rows/cosine-reference.ts';
import { norm } from '../../src/kernels/pair-rows/norm-reference.ts';
import { sizeOf } from '../../src/core/shape.ts';
import type { Call, TensorSpec } from '../calls.ts';
import { roundHalf } from '../ulp.ts';

type FloatDType = 'float32' | 'float16';

/** Of 1, for a cosine, or of a distance: some ULP of float32, as p-norms and long rows have. */
const NEAR = 2 ** -20;
const LARGEST = 2 ** 128 * (1 - NEAR);
/** Upstream gradients are at most 2. */
const UPSTREAM = 2;

export const KINKED = [
  'cosineEmbeddingLoss',
  'tripletMarginLoss',
  'tripletMarginWithDistanceLoss',
] as const;

/** A row of an operand, which may have fewer rows than there are: then they repeat. */
function rowOf({ shape, data }: TensorSpec, r: number, dtype: FloatDType): Float64Array {
  const n = shape.at(-1) ?? 1;
  const own = n === 0 ? 0 : r % (data.length / n);
  const row = Float64Array.from(data.slice(own * n, own * n + n));
  return dtype === 'float16' ? row.map(roundHalf) : row;
}

function cosine(x: Float64Array, y: Float64Array, added: number, least: number): number {
  const [dot, xx, yy] = squares(x, y);
  const length = (square: number): number => Math.max(Math.sqrt(square + added), least);
  return dot / length(xx) / length(yy);
}

const lengthOf = (x: Float64Array): number => Math.sqrt(squares(x, x)[0]);

const isCosine = ({ options }: Call): boolean => options.distanceFunction === 'cosineSimilarity';

function distanceOf(call: Call): (x: Float64Array, y: Float64Array) => number {
  if (isCosine(call)) return (x, y) => cosine(x, y, 0, 1e-8);
  const { p = 2, eps = 1e-6 } = call.options;
  return (x, y) =>
    norm(
      x.map((v, i) => v - (y[i] ?? NaN) + Number(eps)),
      Number(p),
    );
}

function isNearKink(call: Call, r: number, dtype: FloatDType): boolean {
  const { op, positional, options } = call;
  const { input1, input2, target } = positional;
  const { anchor, positive, negative } = positional;
  if (input1 && input2 && target) {
    const label = target.data[r % target.data.length];
    const above =
      cosine(rowOf(input1, r, dtype), rowOf(input2, r, dtype), 1e-12, 0) -
      Number(options.margin ?? 0);
    return label === -1 && Math.abs(above) <= NEAR;
  }
  if (!anchor || !positive || !negative) throw new Error(`${op} has other operands`);
  const distance = distanceOf(call);
  const [a, p, n] = [anchor, positive, negative].map((spec) => rowOf(spec, r, dtype));
  if (!a || !p || !n) return false;
  const [near, far] = [distance(a, p), distance(a, n)];
  const other = options.swap === true ? distance(p, n) : Infinity;
  const distances = options.swap === true ? [near, far, other] : [near, far];
  // Where float32 has no number for one, the differences that it is of are nothing beside it.
  if (distances.some((d) => d > LARGEST && d < Infinity)) return true;
  const reach = Math.min(far, other);
  const slack = Number(options.margin ?? 1) + (near - reach);
  const size = isCosine(call) ? 1 : Math.max(near, reach);
  return (
    Math.abs(slack) <= NEAR * size || Math.abs(far - other) <= NEAR * (isCosine(call) ? 1 : far)
  );
}

const known = new WeakMap<Call, Map<string, boolean>>();

function isUndecided(call: Call, r: number, dtype: FloatDType): boolean {
  let rows = known.get(call);
  if (!rows) known.set(call, (rows = new Map<string, boolean>()));
  const key = `${dtype} ${r}`;
  let near = rows.get(key);
  if (near === undefined) {
    near = isNearKink(call, r, dtype);
    rows.set(key, near);
  }
  return near;
}

/** How far a gradient's element may be off for the kinks of the rows that it is a sum over. */
export function kinkBound(call: Call, dtype: FloatDType, name: string, index: number): number {
  const { op, positional, options } = call;
  const spec = positional[name];
  if (!spec || options.distanceFunction === 'mul') return 0;
  const n = spec.shape.at(-1) ?? 1;
  const own = spec.data.length / n;
  const rows = Math.max(
    ...Object.values(positional).map(({ shape }) =>
      op === 'cosineEmbeddingLoss' && shape.at(-1) !== n ? sizeOf(shape) : sizeOf(shape) / n,
    ),
  );
  const row = Math.floor(index / n);
  // Two norms have slopes of 1 at most, two cosines of 2 over the length of the row.
  const length = lengthOf(rowOf(spec, row, dtype));
  const slope =
    op === 'cosineEmbeddingLoss'
      ? 2 / Math.sqrt(length ** 2 + 1e-12)
      : isCosine(call)
        ? 4 / Math.max(length, 1e-8)
        : 2;
  const each =
    (UPSTREAM * slope) /
    (options.reduction === undefined || options.reduction === 'mean' ? rows : 1);
  let bound = 0;
  for (let r = row; r < rows; r += own) if (isUndecided(call, r, dtype)) bound += each;
  return bound;
}

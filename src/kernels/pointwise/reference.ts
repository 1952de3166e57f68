// The CPU loop of pointwise ops: float64, element by element, without allocations.
import type { NumericArray } from '../../core/dtype.ts';
import { broadcastStrides, sizeOf, type Shape } from '../../core/shape.ts';
import type { ParamValues } from '../../shader/params.ts';
import type { Binary, PointwiseArgs, Unary } from './args.ts';

export function pointwiseOnCpu(
  args: PointwiseArgs,
  inputs: readonly NumericArray[],
  outputs: readonly NumericArray[],
  inputShapes: readonly Shape[],
): void {
  const { op, params, shape, sum } = args;
  const size = sizeOf(shape);
  const [a, b] = inputs;
  const [output] = outputs;
  const { unary, binary } = op;
  if (output && outputs.length === 1) {
    if (unary && a?.length === size) {
      if (sum === undefined && op.unaryAll) op.unaryAll(a, output, params);
      else if (sum === undefined) mapOne(unary, params, a, output, size);
      else output[0] = sumOne(unary, params, a, size) / sum;
      return;
    }
    if (binary && a?.length === size && b) {
      if (b.length === size) {
        if (sum === undefined) mapTwo(binary, params, a, b, output, size);
        else output[0] = sumTwo(binary, params, a, b, size) / sum;
        return;
      }
      if (sum === undefined && repeats(inputShapes[1] ?? [], shape)) {
        mapRepeated(binary, params, a, b, output, size);
        return;
      }
    }
  }
  general(args, inputs, outputs, inputShapes);
}

function mapOne(f: Unary, p: ParamValues, a: NumericArray, y: NumericArray, size: number): void {
  for (let i = 0; i < size; i++) y[i] = f(a[i] ?? NaN, p);
}

function sumOne(f: Unary, p: ParamValues, a: NumericArray, size: number): number {
  let total = 0;
  for (let i = 0; i < size; i++) total += f(a[i] ?? NaN, p);
  return total;
}

function mapTwo(
  f: Binary,
  p: ParamValues,
  a: NumericArray,
  b: NumericArray,
  y: NumericArray,
  size: number,
): void {
  for (let i = 0; i < size; i++) y[i] = f(a[i] ?? NaN, b[i] ?? NaN, p);
}

function sumTwo(f: Binary, p: ParamValues, a: NumericArray, b: NumericArray, size: number): number {
  let total = 0;
  for (let i = 0; i < size; i++) total += f(a[i] ?? NaN, b[i] ?? NaN, p);
  return total;
}

/** `b` is repeated along leading dimensions, as a bias or a single number is. */
function mapRepeated(
  f: Binary,
  p: ParamValues,
  a: NumericArray,
  b: NumericArray,
  y: NumericArray,
  size: number,
): void {
  const period = b.length;
  for (let first = 0; first < size; first += period) {
    for (let i = 0; i < period; i++) y[first + i] = f(a[first + i] ?? NaN, b[i] ?? NaN, p);
  }
}

/**
 * Whether repeating a tensor of this shape as a whole fills `target`: apart from leading ones, its dimensions are the
 * last ones of `target`.
 */
function repeats(from: Shape, target: Shape): boolean {
  let lead = 0;
  while (lead < from.length && from[lead] === 1) lead++;
  const tail = from.slice(lead);
  return tail.every((d, i) => d === target[target.length - tail.length + i]) && sizeOf(tail) > 0;
}

/** Any number of inputs and results, broadcast in any way. */
function general(
  { op, params, shape, sum, scale = 1 }: PointwiseArgs,
  inputs: readonly NumericArray[],
  outputs: readonly NumericArray[],
  inputShapes: readonly Shape[],
): void {
  const size = sizeOf(shape);
  const { unary, binary, reference } = op;
  const sources = inputs.map((values, k) => ({
    values,
    map: values.length === size ? null : indexMap(inputShapes[k] ?? [], shape, size),
  }));
  const v = new Float64Array(inputs.length);
  const r = new Float64Array(op.results);
  const summed = sum !== undefined;
  let total = 0;
  for (let i = 0; i < size; i++) {
    let k = 0;
    for (const { values, map } of sources) v[k++] = values[map?.[i] ?? i] ?? NaN;
    if (reference) reference(v, r, params, i, scale);
    else if (binary) r[0] = binary(v[0] ?? NaN, v[1] ?? NaN, params);
    else if (unary) r[0] = unary(v[0] ?? NaN, params);
    if (summed) total += r[0] ?? NaN;
    for (k = summed ? 1 : 0; k < outputs.length; k++) {
      const output = outputs[k];
      if (output) output[i] = r[k] ?? NaN;
    }
  }
  const [first] = outputs;
  if (summed && first) first[0] = total / sum;
}

/** For each element of `shape`, the index of the element of a broadcast input. */
function indexMap(from: Shape, shape: Shape, size: number): Uint32Array {
  const strides = broadcastStrides(from, shape);
  const map = new Uint32Array(size);
  const index = new Array<number>(shape.length).fill(0);
  let offset = 0;
  for (let i = 0; i < size; i++) {
    map[i] = offset;
    for (let d = shape.length - 1; d >= 0; d--) {
      const extent = shape[d] ?? 1;
      const stride = strides[d] ?? 0;
      const next = (index[d] ?? 0) + 1;
      if (next < extent) {
        index[d] = next;
        offset += stride;
        break;
      }
      index[d] = 0;
      offset -= stride * (extent - 1);
    }
  }
  return map;
}

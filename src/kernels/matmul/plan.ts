// The matmul kernel: its plan and its CPU loop.
import type { NumericArray } from '../../core/dtype.ts';
import { at } from '../../cpu/rows.ts';
import type { Capabilities, Kernel, Plan, View } from '../../core/kernel.ts';
import { offsetOf, placesBeside, type MatmulArgs, type MatmulPlaces } from './args.ts';
import { planProduct } from './launch.ts';
import { planProductParts } from './windows.ts';
import { fits } from '../windows/regions.ts';

export const matmulKernel: Kernel<MatmulArgs> = { name: 'matmul', float16: 'convert', plan, cpu };

function plan(
  args: MatmulArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  if (!fits([...inputs, ...outputs], caps)) return planProductParts(args, inputs, outputs, caps);
  const [left, right] = inputs;
  const places: MatmulPlaces = {
    a: { of: 'input', index: 0, padded: left?.padded ?? false },
    b: { of: 'input', index: 1, padded: right?.padded ?? false },
    c: { of: 'output', index: 0, padded: outputs[0]?.padded ?? false },
    ...placesBeside(args),
  };
  return planProduct(args, places, caps);
}

function cpu(
  args: MatmulArgs,
  inputs: readonly NumericArray[],
  outputs: readonly NumericArray[],
): void {
  const { m, n, k, a, b, activation, rowSums } = args;
  const [left, right, ...others] = inputs;
  const bias = args.bias ? others.shift() : undefined;
  const [learned] = others;
  const [result, second] = outputs;
  const before = rowSums ? undefined : second;
  if (!left || !right || !result) return;
  const batches = args.batch.reduce((product, d) => product * d, 1);
  const learnedAt = (column: number): number =>
    learned?.[activation?.learned === 'columns' ? column : 0] ?? NaN;
  for (let batch = 0; batch < batches; batch++) {
    // Both operands are packed as float64 with k innermost. That costs m k + n k, and the loop of m n k then reads
    // contiguous memory.
    const rows = pack(left, offsetOf(batch, args.batch, args.aBatch), m, k, a[0], a[1]);
    const columns = pack(right, offsetOf(batch, args.batch, args.bBatch), n, k, b[1], b[0]);
    const products = multiply(rows, columns, m, n, k);
    if (rowSums) {
      for (let i = 0; i < m; i++) if (second) second[i] = sumOf(rows.subarray(i * k, (i + 1) * k));
    }
    const base = batch * m * n;
    for (let i = 0; i < m * n; i++) {
      const z = at(products, i) + (bias?.[i % n] ?? 0);
      if (before) before[base + i] = z;
      result[base + i] = activation
        ? activation.forward(z, activation.params, learnedAt(i % n))
        : z;
    }
  }
}

function sumOf(terms: Float64Array): number {
  let sum = 0;
  for (const term of terms) sum += term;
  return sum;
}

function pack(
  from: NumericArray,
  base: number,
  lines: number,
  length: number,
  lineStride: number,
  stride: number,
): Float64Array {
  const packed = new Float64Array(lines * length);
  for (let i = 0, next = 0; i < lines; i++) {
    for (let j = 0; j < length; j++)
      packed[next++] = from[base + i * lineStride + j * stride] ?? NaN;
  }
  return packed;
}

/**
 * Products of rows [m, k] and columns [n, k]. Four columns at a time, so that each element of a row is loaded once
 * for four products.
 */
function multiply(
  rows: Float64Array,
  columns: Float64Array,
  m: number,
  n: number,
  k: number,
): Float64Array {
  const products = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    const row = i * k;
    for (let j = 0; j < n; j += 4) {
      // Past the last column, the products of other columns are computed but not stored.
      const c0 = j * k;
      const c1 = Math.min(j + 1, n - 1) * k;
      const c2 = Math.min(j + 2, n - 1) * k;
      const c3 = Math.min(j + 3, n - 1) * k;
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      for (let p = 0; p < k; p++) {
        const x = rows[row + p] ?? NaN;
        s0 += x * (columns[c0 + p] ?? NaN);
        s1 += x * (columns[c1 + p] ?? NaN);
        s2 += x * (columns[c2 + p] ?? NaN);
        s3 += x * (columns[c3 + p] ?? NaN);
      }
      const first = i * n + j;
      products[first] = s0;
      if (j + 1 < n) products[first + 1] = s1;
      if (j + 2 < n) products[first + 2] = s2;
      if (j + 3 < n) products[first + 3] = s3;
    }
  }
  return products;
}

// Takes an op and a shape, and gives inputs, and what the results must be, computed in float64.
import erfc from '@stdlib/math-base-special-erfc';
import type { Inputs, OpName, Shape } from './types.ts';

const BASE = 2 ** 20;

/** A generator of numbers from 0 to 1 (mulberry32): the same inputs for every library and run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Normal numbers of standard deviation 3; past `BASE` they repeat, which no library can make use of. */
export function normals(size: number, seed: number): Float32Array<ArrayBuffer> {
  const uniform = generator(seed);
  const values = new Float32Array(size);
  const own = Math.min(size, BASE);
  for (let i = 0; i < own; i++) {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    values[i] = 3 * radius * Math.cos(2 * Math.PI * uniform());
  }
  for (let at = own; at < size; at += own) {
    values.set(values.subarray(0, Math.min(own, size - at)), at);
  }
  return values;
}

export function inputsOf(op: OpName, [rows, columns]: Shape): Inputs {
  const size = rows * columns;
  const uniform = generator(4);
  return {
    shape: [rows, columns],
    x: normals(size, 1),
    y: op === 'reluGrad' || op === 'mse' ? normals(size, 2) : new Float32Array(),
    bias: normals(op === 'biasGelu' ? columns : 0, 3),
    classes: Int32Array.from({ length: op.startsWith('crossEntropy') ? rows : 0 }, () =>
      Math.floor(uniform() * columns),
    ),
  };
}

const gelu = (x: number): number => (x * erfc(-x / Math.SQRT2)) / 2;
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

const UNARY: Partial<Record<OpName, (x: number) => number>> = {
  relu: (x) => Math.max(x, 0),
  reluGrad: (x) => Math.max(x, 0),
  leakyRelu: (x) => (x > 0 ? x : 0.01 * x),
  gelu,
  geluTanh: (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  tanh: Math.tanh,
  sigmoid,
  silu: (x) => x * sigmoid(x),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
};

/** A result in float64; `at` gives its elements, so that long ones need not be computed in full. */
interface Expected {
  readonly size: number;
  readonly at: (index: number) => number;
}

function expectedOf(op: OpName, { shape, x, y, bias, classes }: Inputs): Expected[] {
  const [rows, columns] = shape;
  const size = x.length;
  const value = (values: ArrayLike<number>, i: number): number => values[i] ?? NaN;
  const unary = UNARY[op];
  if (unary) {
    const forward = { size, at: (i: number) => unary(value(x, i)) };
    if (op !== 'reluGrad') return [forward];
    return [forward, { size, at: (i) => (value(x, i) > 0 ? value(y, i) : 0) }];
  }
  if (op === 'biasGelu') {
    return [{ size, at: (i) => gelu(value(x, i) + value(bias, i % columns)) }];
  }
  if (op === 'mse') {
    let total = 0;
    for (let i = 0; i < size; i++) total += (value(x, i) - value(y, i)) ** 2;
    return [{ size: 1, at: () => total / size }];
  }
  // ln of the sum of exponentials of each row
  const logSum = Float64Array.from({ length: rows }, (_, row) => {
    const own = x.subarray(row * columns, (row + 1) * columns);
    const peak = own.reduce((a, b) => Math.max(a, b), -Infinity);
    return peak + Math.log(own.reduce((sum, v) => sum + Math.exp(v - peak), 0));
  });
  const log = (i: number): number => value(x, i) - value(logSum, Math.floor(i / columns));
  if (op === 'softmax') return [{ size, at: (i) => Math.exp(log(i)) }];
  if (op === 'logSoftmax') return [{ size, at: log }];
  const loss = classes.reduce((sum, c, row) => sum - log(row * columns + c), 0) / rows;
  const grad = (i: number): number => {
    const hit = i % columns === classes[Math.floor(i / columns)];
    return (Math.exp(log(i)) - (hit ? 1 : 0)) / rows;
  };
  const mean = { size: 1, at: () => loss };
  return op === 'crossEntropy' ? [mean] : [mean, { size, at: grad }];
}

const SAMPLES = 200_000;

/** What is wrong with results, or null: each must be within 0.1 % of the right number or 1e-5 of the largest. */
export function mistake(
  op: OpName,
  inputs: Inputs,
  results: readonly ArrayLike<number>[],
): string | null {
  for (const [k, { size, at }] of expectedOf(op, inputs).entries()) {
    const result = results[k];
    if (result?.length !== size) return `${String(result?.length)} elements instead of ${size}`;
    // An odd step meets every place in a row and in a vec4; the last element is always among them.
    const step = Math.max(1, Math.floor(size / SAMPLES)) | 1;
    let largest = 0;
    for (let i = size - 1; i >= 0; i -= step) largest = Math.max(largest, Math.abs(at(i)));
    for (let i = size - 1; i >= 0; i -= step) {
      const want = at(i);
      const got = result[i] ?? NaN;
      if (Math.abs(got - want) <= 1e-3 * Math.abs(want) + 1e-5 * largest) continue;
      return `result ${k}, element ${i}: ${got} instead of ${want}`;
    }
  }
  return null;
}

// Attention in float64, row by row: the CPU path.
import type { NumericArray } from '../../core/dtype.ts';
import { uniformAt } from '../../core/random.ts';
import {
  batchesOf,
  inputsAt,
  outputsAt,
  placesOf,
  sharedHeads,
  type AttentionArgs,
  type AttentionBackward,
  type AttentionForward,
  type AttentionShape,
  type Places,
} from './args.ts';

/**
 * Weights below e^LEAST of the largest are 0, as they are in float32: there what an infinite value adds must not depend
 * on the device.
 */
const LEAST = -77;

export function computeAttention(
  args: AttentionArgs,
  inputs: readonly NumericArray[],
  outputs: readonly NumericArray[],
): void {
  if (args.direction === 'forward') forward(args, inputs, outputs);
  else backward(args, inputs, outputs);
}

/** The scores and weights of one row, for the keys that it may attend to. */
interface Row {
  readonly first: number;
  readonly last: number;
  /** By key: the weight, what the weight is multiplied by in the result, and the slope of the soft cap. */
  readonly weights: Float64Array;
  readonly kept: Float64Array;
  readonly slopes: Float64Array;
  /** The share of the sink. */
  readonly sink: number;
}

class Rows {
  readonly #args: AttentionShape;
  readonly #inputs: readonly NumericArray[];
  readonly #mask: NumericArray | undefined;
  readonly #sinks: NumericArray | undefined;
  readonly #weights: Float64Array;
  readonly #kept: Float64Array;
  readonly #slopes: Float64Array;

  constructor(args: AttentionArgs, inputs: readonly NumericArray[]) {
    const at = inputsAt(args);
    this.#args = args;
    this.#inputs = inputs;
    this.#mask = inputs[at.mask];
    this.#sinks = inputs[at.sinks];
    this.#weights = new Float64Array(args.keys);
    this.#kept = new Float64Array(args.keys);
    this.#slopes = new Float64Array(args.keys);
  }

  /** The arrays are used again for the next row. */
  row(batch: number, places: Places, i: number): Row {
    const { keys, columns, scale, softcap, dropout, left, right } = this.#args;
    const [query, key] = this.#inputs;
    const [weights, kept, slopes] = [this.#weights, this.#kept, this.#slopes];
    const first = Math.max(0, i - left);
    const last = Math.min(keys, i + right + 1);
    const sink = this.#sinks ? (this.#sinks[places.head] ?? NaN) : -Infinity;
    let most = sink;
    for (let j = first; j < last; j++) {
      let s = 0;
      for (let c = 0; c < columns; c++) {
        s +=
          (query?.[places.query + i * columns + c] ?? NaN) *
          (key?.[places.key + j * columns + c] ?? NaN);
      }
      s *= scale;
      if (softcap !== null) {
        slopes[j] = Math.cosh(s / softcap) ** -2;
        s = softcap * Math.tanh(s / softcap);
      } else {
        slopes[j] = 1;
      }
      s = this.#masked(s, places.mask, i, j);
      weights[j] = s;
      // A NaN stays.
      if (!(s <= most)) most = most !== most ? most : s;
    }
    let sum = most === -Infinity ? 0 : exponential(sink, most);
    for (let j = first; j < last; j++) {
      const e = exponential(weights[j] ?? NaN, most);
      weights[j] = e;
      sum += e;
    }
    const factor = sum === 0 ? 0 : 1 / sum;
    for (let j = first; j < last; j++) {
      const w = weights[j] ?? NaN;
      weights[j] = w === 0 ? 0 : w * factor;
      kept[j] = 1;
      if (dropout) {
        const u = uniformAt([dropout.key0, dropout.key1], j, batch * this.#args.rows + i);
        kept[j] = u >= dropout.p ? 1 / (1 - dropout.p) : 0;
      }
    }
    return { first, last, weights, kept, slopes, sink: exponential(sink, most) * factor };
  }

  #masked(s: number, start: number, i: number, j: number): number {
    const { mask, maskRows, maskKeys } = this.#args;
    if (mask === null) return s;
    const at = start + (maskRows === 1 ? 0 : i * maskKeys) + (maskKeys === 1 ? 0 : j);
    const m = this.#mask?.[at] ?? NaN;
    if (mask === 'keep') return m === 0 ? -Infinity : s;
    // What is left out does not count, whatever it holds.
    return m === -Infinity ? m : s + m;
  }
}

function exponential(s: number, most: number): number {
  if (s === -Infinity) return 0;
  if (most === Infinity) return NaN;
  return s - most < LEAST ? 0 : Math.exp(s - most);
}

function forward(
  args: AttentionForward,
  inputs: readonly NumericArray[],
  [result, statistics]: readonly NumericArray[],
): void {
  const { rows, valueColumns } = args;
  const value = inputs[2];
  if (!result || !value) return;
  const of = new Rows(args, inputs);
  const sums = new Float64Array(valueColumns);
  for (let batch = 0; batch < batchesOf(args); batch++) {
    const places = placesOf(args, batch);
    for (let i = 0; i < rows; i++) {
      const { first, last, weights, kept } = of.row(batch, places, i);
      sums.fill(0);
      for (let j = first; j < last; j++) {
        const w = (weights[j] ?? NaN) * (kept[j] ?? NaN);
        if (w === 0) continue;
        for (let c = 0; c < valueColumns; c++) {
          sums[c] = (sums[c] ?? NaN) + w * (value[places.value + j * valueColumns + c] ?? NaN);
        }
      }
      result.set(sums, (batch * rows + i) * valueColumns);
    }
  }
  // The gradient is computed from the inputs here.
  statistics?.fill(0);
}

function backward(
  args: AttentionBackward,
  inputs: readonly NumericArray[],
  outputs: readonly NumericArray[],
): void {
  const { rows, columns, valueColumns, scale, maskRows, maskKeys } = args;
  const [query, key, value] = inputs;
  const at = outputsAt(args);
  const upstream = inputs[inputsAt(args).gradOutput];
  if (!query || !key || !value || !upstream) return;
  // Sums are rounded once.
  const sums = outputs.map((output) => new Float64Array(output.length));
  const of = new Rows(args, inputs);
  const shared = sharedHeads(args);
  const slopes = new Float64Array(args.keys);
  for (let batch = 0; batch < batchesOf(args); batch++) {
    const places = placesOf(args, batch);
    const keyBatch = Math.floor(batch / shared);
    for (let i = 0; i < rows; i++) {
      const row = of.row(batch, places, i);
      const from = (batch * rows + i) * valueColumns;
      let delta = 0;
      for (let j = row.first; j < row.last; j++) {
        const w = row.weights[j] ?? NaN;
        const kept = row.kept[j] ?? NaN;
        const start = places.value + j * valueColumns;
        slopes[j] = 0;
        if (w * kept === 0) continue;
        let product = 0;
        for (let c = 0; c < valueColumns; c++) {
          product += (upstream[from + c] ?? NaN) * (value[start + c] ?? NaN);
        }
        slopes[j] = product * kept;
        delta += w * product * kept;
        add(
          sums[at.value],
          (keyBatch * args.keys + j) * valueColumns,
          w * kept,
          upstream,
          from,
          valueColumns,
        );
      }
      if (at.sinks >= 0)
        set(sums[at.sinks], batch * rows + i, row.sink === 0 ? 0 : -row.sink * delta);
      for (let j = row.first; j < row.last; j++) {
        const w = row.weights[j] ?? NaN;
        if (w === 0) continue;
        const slope = w * ((slopes[j] ?? NaN) - delta);
        if (slope === 0) continue;
        const maskAt = places.mask + (maskRows === 1 ? 0 : i * maskKeys) + (maskKeys === 1 ? 0 : j);
        if (at.mask >= 0) set(sums[at.mask], maskAt, (sums[at.mask]?.[maskAt] ?? NaN) + slope);
        const inner = slope * (row.slopes[j] ?? NaN) * scale;
        if (inner === 0) continue;
        const keyAt = places.key + j * columns;
        const queryAt = places.query + i * columns;
        add(sums[at.query], (batch * rows + i) * columns, inner, key, keyAt, columns);
        add(sums[at.key], (keyBatch * args.keys + j) * columns, inner, query, queryAt, columns);
      }
    }
  }
  outputs.forEach((output, k) => {
    const sum = sums[k];
    if (sum) output.set(sum);
  });
}

function set(to: Float64Array | undefined, at: number, value: number): void {
  if (to) to[at] = value;
}

/** Adds a multiple of some elements. */
function add(
  to: Float64Array | undefined,
  at: number,
  factor: number,
  from: NumericArray,
  start: number,
  length: number,
): void {
  if (!to) return;
  for (let c = 0; c < length; c++)
    to[at + c] = (to[at + c] ?? NaN) + factor * (from[start + c] ?? NaN);
}

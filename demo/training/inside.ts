// Takes a model, rows of inputs, and gives what its hidden layers make of them; or the weights of its first units.
import { narrow, tensor, type Device, type Tensor } from 'nonlin';
import type { Model } from './model.ts';

export interface Looking {
  readonly device: Device;
  /** Runs it with the model in evaluation mode and nothing recorded; frees what it leaves but its result. */
  readonly evaluate: (fn: () => Tensor) => Tensor;
  /** Lets the host do other work; called between layers. */
  readonly breathe: () => Promise<void>;
  /** Rows at a time. */
  readonly pieceSize: number;
}

/** The results of each hidden layer, after its activation: row after row, one number for each of its units. */
export async function activationsOf(
  { layers }: Model,
  x: Float32Array,
  inputs: number,
  { device, evaluate, breathe, pieceSize }: Looking,
): Promise<Float32Array[]> {
  const hidden = layers.flatMap(({ linear, activation }) =>
    activation ? [{ linear, activation }] : [],
  );
  const count = x.length / inputs;
  const size = Math.min(count, pieceSize);
  const found: Float32Array[] = [];
  for (let from = 0; from < count; from += size) {
    const piece = x.subarray(from * inputs, (from + size) * inputs);
    const made = [tensor(piece, { shape: [piece.length / inputs, inputs], device })];
    try {
      for (const { linear, activation } of hidden) {
        const before = made.at(-1);
        if (before) made.push(evaluate(() => activation.forward(linear.forward(before))));
        await breathe();
      }
      // one wait for all layers, not one for each
      const values = await Promise.all(made.slice(1).map((layer) => layer.data()));
      values.forEach((own, i) => {
        const all = (found[i] ??= new Float32Array((own.length / (piece.length / inputs)) * count));
        all.set(own, (own.length / (piece.length / inputs)) * from);
      });
    } finally {
      for (const one of made) one.dispose();
    }
  }
  return found;
}

/** The weights of the first layer's first `most` units, one number for each input, unit after unit. */
export async function firstWeightsOf(
  { layers }: Model,
  most: number,
  { evaluate }: Pick<Looking, 'evaluate'>,
): Promise<Float32Array> {
  const weight = layers[0]?.linear.weight;
  if (!weight) return new Float32Array(0);
  const [units = 0] = weight.shape;
  // only what is shown is read
  if (units <= most) return Float32Array.from(await weight.data());
  const own = evaluate(() => narrow(weight, 0, 0, most));
  try {
    return Float32Array.from(await own.data());
  } finally {
    own.dispose();
  }
}

/** How many of `values` are in each of `bins` equal parts of the range from `least` to `most`; its end is in the last. */
export function histogramOf(
  values: Float32Array,
  least: number,
  most: number,
  bins: number,
): number[] {
  const counts = new Array<number>(bins).fill(0);
  const width = (most - least) / bins;
  for (const value of values) {
    if (!(value >= least && value <= most)) continue;
    const bin = width > 0 ? Math.min(bins - 1, Math.floor((value - least) / width)) : 0;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}

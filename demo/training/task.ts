// What a trainer needs to know of what there is to learn: examples, sizes, how results are judged.

/** What a network's outputs are held against. */
export type Goal =
  /** A class, by its index. */
  | 'classes'
  /** Numbers. */
  | 'values'
  /** Numbers from 0 to 1, of which the outputs are logits. */
  | 'shares';

/** Examples side by side: `x` is [n, inputs]; `wanted` n class indices, or [n, outputs] numbers. */
export interface Batch {
  readonly count: number;
  readonly x: Float32Array;
  readonly wanted: Uint8Array | Float32Array;
}

export interface Examples {
  readonly count: number;
  gather(indices: Uint32Array): Batch;
}

export interface Task {
  readonly goal: Goal;
  readonly inputs: number;
  readonly outputs: number;
  /** Units of the narrowest layer in the middle, where there is to be one. */
  readonly code?: number;
  readonly training: Examples;
  readonly heldOut: Examples;
}

/** Examples of rows that are there as they are. */
export function examplesOf(
  x: Float32Array,
  inputs: number,
  wanted: Uint8Array | Float32Array,
): Examples {
  const count = x.length / inputs;
  const width = wanted.length / count;
  return {
    count,
    gather(indices) {
      const rows = new Float32Array(indices.length * inputs);
      const size = indices.length * width;
      const results = wanted instanceof Uint8Array ? new Uint8Array(size) : new Float32Array(size);
      indices.forEach((index, i) => {
        rows.set(x.subarray(index * inputs, (index + 1) * inputs), i * inputs);
        results.set(wanted.subarray(index * width, (index + 1) * width), i * width);
      });
      return { count: indices.length, x: rows, wanted: results };
    },
  };
}

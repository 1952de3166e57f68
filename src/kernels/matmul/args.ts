// Types: the arguments of the matmul kernel, which are sizes, strides, batches, and what happens to each result.
import type { Source } from '../../shader/link.ts';
import type { BufferSlice } from '../../core/kernel.ts';
import type { ParamLayout, ParamValues } from '../../shader/params.ts';

/** An activation applied to each result. */
export interface MatmulActivation {
  readonly source: Source;
  readonly layout: ParamLayout;
  readonly params: ParamValues;
  /** `learned` is NaN for an activation without a learned tensor. */
  readonly forward: (x: number, params: ParamValues, learned: number) => number;
  /** Where it has a learned tensor, as prelu: one number for all results or one per column. It is the last input. */
  readonly learned?: 'one' | 'columns';
}

export interface MatmulArgs {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Strides in elements: of A's rows and columns, of B's rows and columns. */
  readonly a: readonly [row: number, column: number];
  readonly b: readonly [row: number, column: number];
  /** The batches' shape, at most four dimensions, and each operand's strides along it. */
  readonly batch: readonly number[];
  readonly aBatch: readonly number[];
  readonly bBatch: readonly number[];
  /** Input 2 is a bias, one per column. */
  readonly bias?: boolean;
  readonly activation?: MatmulActivation;
  /** Output 1 receives the results before the activation. */
  readonly keepInput?: boolean;
  /**
   * Output 1 receives the sums of A's rows, m numbers: where A is the transpose of a gradient of rows, that of a bias. Without
   * batches and `keepInput`.
   */
  readonly rowSums?: boolean;
  /** Results are added to the contents of the outputs. */
  readonly accumulate?: boolean;
}

/** A matrix in memory. `padded` is that of its view. */
export interface Matrix extends BufferSlice {
  readonly padded: boolean;
}

/** Where the operands of a product are, for plans of other kernels that contain products. */
export interface MatmulPlaces {
  readonly a: Matrix;
  readonly b: Matrix;
  readonly c: Matrix;
  readonly bias?: BufferSlice;
  readonly learned?: BufferSlice;
  readonly before?: BufferSlice;
  readonly rowSums?: BufferSlice;
}

/** Matrices of a product. */
export function batchesOf({ batch }: MatmulArgs): number {
  return batch.reduce((product, d) => product * d, 1);
}

/** What a product has besides its factors: a bias, the activation's learned tensor, the results before the activation, sums of rows. */
export function placesBeside({
  bias,
  activation,
  keepInput,
  rowSums,
}: MatmulArgs): Omit<MatmulPlaces, 'a' | 'b' | 'c'> {
  return {
    ...(bias ? { bias: { of: 'input', index: 2 } } : {}),
    ...(activation?.learned ? { learned: { of: 'input', index: bias ? 3 : 2 } } : {}),
    ...(keepInput ? { before: { of: 'output', index: 1 } } : {}),
    ...(rowSums ? { rowSums: { of: 'output', index: 1 } } : {}),
  };
}

/** The index of the first element of a batch in an operand that has these strides along the batches. */
export function offsetOf(
  batch: number,
  shape: readonly number[],
  strides: readonly number[],
): number {
  let rest = batch;
  let offset = 0;
  for (let d = shape.length - 1; d >= 0; d--) {
    const extent = shape[d] ?? 1;
    offset += (rest % extent) * (strides[d] ?? 0);
    rest = Math.floor(rest / extent);
  }
  return offset;
}

// What the kernels of row-wise ops are called with.
import type { RowLayout } from '../../core/shape.ts';
import type { Source } from '../../shader/link.ts';
import type { Masking } from './masking.ts';

/** One row-wise op. The float64 functions see a row at a time. */
export interface RowwiseOp {
  readonly name: string;
  readonly source: Source;
  readonly forward: (x: Float64Array, y: Float64Array) => void;
  readonly backward: (y: Float64Array, gradOutput: Float64Array, gradInput: Float64Array) => void;
  /** The result where a mask leaves an element out: 0 or -Infinity. */
  readonly leftOut?: number;
}

export interface RowwiseArgs {
  readonly op: RowwiseOp;
  readonly layout: RowLayout;
  /** Inputs: x for `'forward'`; output and gradOutput for `'backward'`. A mask comes after the first. */
  readonly direction: 'forward' | 'backward';
  readonly masking?: Masking;
}

/** Whether an input has an element for each of the rows: all but a mask that is broadcast, which is bound whole. */
export function isOfRows({ masking }: RowwiseArgs, index: number): boolean {
  return index !== 1 || !masking?.mask || masking.mask.whole;
}

// What a reduction divides the sum of all elements by.
import { sizeOf, type Shape } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';

/**
 * How the losses of the elements become one result: `none` keeps them, `sum` adds them, `mean` divides their sum by
 * their number.
 */
export type Reduction = 'none' | 'mean' | 'sum';
/**
 * Also `batchmean`, for divergences: the sum divided by the size of the first dimension, as for a batch of
 * distributions.
 */
export type AnyReduction = Reduction | 'batchmean';
/** The reductions, the default first. */
export const REDUCTIONS: readonly [Reduction, ...Reduction[]] = ['mean', 'sum', 'none'];
export const ALL_REDUCTIONS: readonly AnyReduction[] = ['mean', 'sum', 'none', 'batchmean'];

/** The divisor of the sum over `shape`. `first` is the shape of the first input. */
export function divisorOf(reduction: AnyReduction, shape: Shape, first: Shape): number {
  if (reduction === 'mean') return sizeOf(shape);
  return reduction === 'batchmean' ? (first[0] ?? 1) : 1;
}

/** Options of losses with one loss per row. */
export interface RowLossOptions {
  /** `'mean'` (default) over the rows, `'sum'`, or `'none'` for the loss of each. */
  reduction?: Reduction;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

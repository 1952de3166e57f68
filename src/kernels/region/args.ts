// Types: the arguments of the region-loss kernel, and what the loss of a class is made of.
import type { RowLayout } from '../../core/shape.ts';

/** How the input becomes a prediction from 0 to 1, in the order that the shader numbers them. */
export const ACTIVATIONS = ['none', 'sigmoid', 'softmax'] as const;

/**
 * The score of a class is (tp + smooth) / max(tp + alpha fp + beta fn + smooth, eps); its loss is 1 less the score, or minus its
 * logarithm, to the power gamma.
 */
export interface RegionScore {
  readonly alpha: number;
  readonly beta: number;
  readonly gamma: number;
  readonly smooth: number;
  readonly eps: number;
  readonly logLoss: boolean;
}

export interface RegionLossArgs {
  /** Of the op, for errors. */
  readonly name: string;
  /** [samples, classes, positions]. */
  readonly layout: RowLayout;
  readonly activation: (typeof ACTIVATIONS)[number];
  /** Whether targets are class indices [samples, positions], or numbers of the input's shape. */
  readonly labels: boolean;
  readonly ignoreIndex: number;
  readonly score: RegionScore;
  readonly reduction: 'none' | 'mean' | 'sum';
  /**
   * Forward: inputs are input and target; outputs are the loss, the slopes of each class [n, 2], and, with `grad`, the gradient for
   * an upstream gradient of 1. Backward: inputs are input, target, slopes and gradOutput; the output is the gradient.
   */
  readonly backward: boolean;
  readonly grad: boolean;
}

/** What one element adds to a gradient by: the mean's divisor. */
export function scaleOf({ reduction, layout }: RegionLossArgs): number {
  return reduction === 'mean' ? 1 / layout.n : 1;
}

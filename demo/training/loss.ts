// What a trainer needs to know of a loss: how it is called. Apart from how losses are found, which takes the whole catalog.
import type { Device, Tensor } from 'nonlin';

export type Wanted = ArrayLike<number>;

/** How a loss is used. */
export interface Way {
  /** What the loss takes as its target, for outputs of shape [N, n]: from N class indices, or N · n numbers. */
  readonly target: (wanted: Wanted, outputs: number, device: Device) => Tensor;
  /** The mean loss over a batch, from outputs of shape [N, n] and their target. */
  readonly compute: (outputs: Tensor, target: Tensor) => Tensor;
}

export interface LossChoice extends Way {
  readonly op: string;
  /** When to use it, for people; may be empty. */
  readonly use: string;
  /** Whether the loss of a batch is the mean of its parts' losses. */
  readonly separable: boolean;
}

/** The mean loss of outputs of shape [N, n] and what was wanted of them. */
export function lossOf({ target, compute }: Way, outputs: Tensor, wanted: Wanted): Tensor {
  return compute(outputs, target(wanted, outputs.shape[1] ?? 1, outputs.device));
}

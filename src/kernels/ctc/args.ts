// Types: the arguments of the CTC loss kernel, which are the shapes and which tensors a call has and wants.

export interface CtcArgs {
  /** The sizes T, N and C of the log-probabilities. */
  readonly steps: number;
  readonly batch: number;
  readonly classes: number;
  /** Labels per batch element in a padded `targets`; 0 if the targets are concatenated. */
  readonly stride: number;
  /** Number of elements of `targets`. */
  readonly labels: number;
  /** Labels of the longest target that may have a path. */
  readonly longest: number;
  readonly blank: number;
  readonly zeroInfinity: boolean;
  readonly reduction: 'none' | 'mean' | 'sum';
  /** Inputs: log-probabilities, targets, both lengths, and the upstream gradient where there is one. */
  readonly gradOutput: boolean;
  /** Outputs, in this order: the loss and the gradient of the log-probabilities. */
  readonly outputs: { readonly loss: boolean; readonly grad: boolean };
}

// Types: what a call of the CTC loss tells its kernel: the shapes, which tensors it has and wants.

export interface CtcArgs {
  /** T, N and C of the log-probabilities. */
  readonly steps: number;
  readonly batch: number;
  readonly classes: number;
  /** Labels of each element in `targets`; 0 where they follow each other. */
  readonly stride: number;
  /** Elements of `targets`. */
  readonly labels: number;
  /** Labels of the longest sequence that may have a path. */
  readonly longest: number;
  readonly blank: number;
  readonly zeroInfinity: boolean;
  readonly reduction: 'none' | 'mean' | 'sum';
  /** Inputs: log-probabilities, targets, both lengths, and the upstream gradient where there is one. */
  readonly gradOutput: boolean;
  /** Outputs, in this order: the loss and the gradient of the log-probabilities. */
  readonly outputs: { readonly loss: boolean; readonly grad: boolean };
}

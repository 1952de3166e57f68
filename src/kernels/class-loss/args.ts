// Types: the arguments of the class-loss kernel, which are the op, the shapes, and which tensors a call has and
// wants.
import type { Source } from '../../shader/link.ts';
import type { RowLayout } from '../../core/shape.ts';
import type { ParamLayout, ParamValues } from '../../shader/params.ts';

/** What a margin makes of the cosine of a row's class, and its derivative. */
export interface Margin {
  readonly score: (cosine: number, p: ParamValues) => number;
  readonly slope: (cosine: number, p: ParamValues) => number;
}

/** A loss of the log-probability l of a class, and its derivative. */
export interface ClassLossOp {
  readonly name: string;
  readonly source: Source;
  readonly params: ParamLayout;
  /** Whether the scores are logits, of which the log-softmax is taken. */
  readonly normalised: boolean;
  /** Whether scores go through `shaders/losses/tempered.wgsl`, and the options `softcap`, `inverse`, `zLoss` are there. */
  readonly tempered?: boolean;
  /** Of scores that are cosines: what the one of the class becomes. All are multiplied by `s`, in `shaders/losses/margin.wgsl`. */
  readonly margin?: Margin;
  readonly loss: (l: number, p: ParamValues) => number;
  readonly grad: (l: number, p: ParamValues) => number;
}

/** Which tensors a call binds. The tensors are in the order of these lists. */
export interface ClassLossArgs {
  readonly op: ClassLossOp;
  readonly params: ParamValues;
  readonly layout: RowLayout;
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;
  readonly reduction: 'none' | 'mean' | 'sum';
  /**
   * The number of rows that a mean divides by, if the host knows the classes and there are no weights. Otherwise
   * null, and the GPU sums the weights.
   */
  readonly count: number | null;
  /**
   * Inputs: scores, classes or probabilities, then those of weights, gradOutput (of the loss) and divisor that the
   * call has.
   */
  readonly inputs: {
    readonly target: 'classes' | 'probabilities';
    readonly weights: boolean;
    readonly gradOutput: boolean;
    readonly divisor: boolean;
  };
  /**
   * Outputs, in this order: the loss, the gradients, and the divisor of a mean that depends on targets only the GPU
   * knows.
   */
  readonly outputs: {
    readonly loss: boolean;
    readonly gradScores: boolean;
    readonly gradProbabilities: boolean;
    readonly divisor: boolean;
  };
}

/** The index of each tensor among the inputs or outputs; -1 if the call does not have it. */
function indexed<T extends Readonly<Record<string, boolean>>>(
  present: T,
  from: number,
): { [K in keyof T]: number } {
  let k = from;
  const result: Record<string, number> = {};
  for (const [name, there] of Object.entries(present)) result[name] = there ? k++ : -1;
  return result as { [K in keyof T]: number };
}

/** Finds the index of each tensor of a call among its inputs and outputs. */
export function placesOf({ inputs, outputs }: ClassLossArgs) {
  const { weights, gradOutput, divisor } = inputs;
  return { inputs: indexed({ weights, gradOutput, divisor }, 2), outputs: indexed(outputs, 0) };
}

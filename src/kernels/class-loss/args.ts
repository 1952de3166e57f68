// Types: what a call of a class loss tells its kernel: the op, the shapes, which tensors it has and wants.
import type { Source } from '../../shader/link.ts';
import type { RowLayout } from '../../core/shape.ts';
import type { ParamLayout, ParamValues } from '../../shader/params.ts';

/** A loss of the log-probability l of a class, and its derivative. */
export interface ClassLossOp {
  readonly name: string;
  readonly source: Source;
  readonly params: ParamLayout;
  /** Whether the scores are logits, of which the log-softmax is taken. */
  readonly normalised: boolean;
  readonly loss: (l: number, p: ParamValues) => number;
  readonly grad: (l: number, p: ParamValues) => number;
}

/** What a call binds; the order of tensors is that of this list. */
export interface ClassLossArgs {
  readonly op: ClassLossOp;
  readonly params: ParamValues;
  readonly layout: RowLayout;
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;
  readonly reduction: 'none' | 'mean' | 'sum';
  /** Rows that a mean is over, where the host knows the classes and none has a weight; else null, and they are added up. */
  readonly count: number | null;
  /** Inputs: scores, classes or probabilities, then weights, gradOutput (of the loss) and divisor where there are any. */
  readonly inputs: {
    readonly target: 'classes' | 'probabilities';
    readonly weights: boolean;
    readonly gradOutput: boolean;
    readonly divisor: boolean;
  };
  /** Outputs, in this order: the loss, gradients, and the divisor of a mean whose weights only the targets tell. */
  readonly outputs: {
    readonly loss: boolean;
    readonly gradScores: boolean;
    readonly gradProbabilities: boolean;
    readonly divisor: boolean;
  };
}

/** Index of each tensor among the inputs or outputs, -1 where it is not there. */
function indexed<T extends Readonly<Record<string, boolean>>>(
  present: T,
  from: number,
): { [K in keyof T]: number } {
  let k = from;
  const result: Record<string, number> = {};
  for (const [name, there] of Object.entries(present)) result[name] = there ? k++ : -1;
  return result as { [K in keyof T]: number };
}

/** Where each tensor of a call is among its inputs and outputs. */
export function placesOf({ inputs, outputs }: ClassLossArgs) {
  const { weights, gradOutput, divisor } = inputs;
  return { inputs: indexed({ weights, gradOutput, divisor }, 2), outputs: indexed(outputs, 0) };
}

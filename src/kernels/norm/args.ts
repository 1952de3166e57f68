// What a call of a norm is for its kernel, and where its tensors are among inputs and outputs.
import type { Source } from '../../shader/link.ts';
import type { RowLayout } from '../../core/shape.ts';

/** A tensor with one value per element of a row, which a call may have. */
export interface NormOperand {
  readonly name: string;
  /** What stands for it where a call has none. */
  readonly absent: number;
  /** Whether the gradient of x reads it. */
  readonly saved: boolean;
}

/** Rows in float64: x, and the operands by name. */
export type NormRows = Readonly<Record<string, Float64Array>> & { readonly x: Float64Array };

/** One norm. The float64 functions see a row at a time; operands that a call lacks are there as what stands for them. */
export interface NormOp {
  readonly name: string;
  readonly source: Source;
  readonly operands: readonly NormOperand[];
  /** A row that is multiplied by `scale` has terms that are multiplied by this power of it. */
  readonly degree: number;
  readonly forward: (rows: NormRows, eps: number, y: Float64Array) => void;
  /** Writes the gradient of x, and adds those of the operands to what is there. */
  readonly backward: (
    rows: NormRows,
    eps: number,
    gradOutput: Float64Array,
    grads: NormRows,
  ) => void;
}

interface Common {
  readonly op: NormOp;
  /** Rows lie together in memory: `inner` is 1. */
  readonly layout: RowLayout;
  readonly eps: number;
  /** Which of the operands there are; in the backward direction, of those that are saved. */
  readonly has: readonly boolean[];
}

/** Inputs: x, the operands. Outputs: the result, and where `keeps` what the backward direction needs of each row. */
export interface NormForward extends Common {
  readonly direction: 'forward';
  readonly keeps: boolean;
}

/** Inputs: x, what was kept, the operands, the upstream gradient. Outputs: the gradients that are wanted, in their order. */
export interface NormBackward extends Common {
  readonly direction: 'backward';
  readonly wants: { readonly x: boolean; readonly operands: readonly boolean[] };
}

export type NormArgs = NormForward | NormBackward;

/** Numbers that are kept of a row. */
export const KEPT = 4;

/** Indices of inputs or outputs that come one after another where they are there; else -1. */
export function indicesOf(there: readonly boolean[], first: number): number[] {
  let next = first;
  return there.map((is) => (is ? next++ : -1));
}

/** Where the operands are among the inputs. */
export function operandInputs({ has, direction }: NormArgs): number[] {
  return indicesOf(has, direction === 'forward' ? 1 : 2);
}

/** Where the gradients of the operands are among the outputs. */
export function operandOutputs({ wants }: NormBackward): number[] {
  return indicesOf(wants.operands, Number(wants.x));
}

// What a call of a norm is for its kernel, and where its tensors are among inputs and outputs.
import type { Source } from '../../shader/link.ts';
import type { FloatDType } from '../../core/dtype.ts';
import type { RowLayout } from '../../core/shape.ts';

/** A tensor with one value per element of a row, or per channel, which a call may have. */
export interface NormOperand {
  readonly name: string;
  /** What stands for it where a call has none. */
  readonly absent: number;
  /** Whether the gradient of x reads it. */
  readonly saved: boolean;
  /**
   * Of a norm by channels: which of the two backward terms, of operands that are absent, its gradient is the sum of. One that is
   * saved is then a factor of the result.
   */
  readonly term?: 'a' | 'b';
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

/**
 * How rows lie in memory. Rows lie together, `inner` being 1, or are the columns of one matrix. Where `span` is less than `n`,
 * a row is in pieces of so many elements, with those of all other rows between them: channels of [N, rows, span].
 */
export interface NormLayout extends RowLayout {
  readonly span: number;
}

/** Which element of an operand goes with element i of row r: `(r % groups) * each + i / span`. */
export interface Channels {
  readonly groups: number;
  /** Channels of a row. */
  readonly each: number;
  /** Neighbours of a row that are of one channel. */
  readonly span: number;
}

interface Common {
  readonly op: NormOp;
  readonly layout: NormLayout;
  /** Operands have an element per channel; where left out, one per element of a row. */
  readonly channels?: Channels | undefined;
  /** Rows ahead of these, where they are a part of the rows of a call. */
  readonly first?: number;
  readonly eps: number;
  /** Which of the operands there are; in the backward direction, of those that are saved. */
  readonly has: readonly boolean[];
  /** Whether mean and variance are given, by channel, and not the row's own. Each row is a channel then. */
  readonly given?: boolean;
}

/**
 * Inputs: x, mean and variance where they are given, the operands. Outputs: the result; where `keeps` what the backward direction
 * needs of each row; where `moments` the mean and the unbiased variance of each row.
 */
export interface NormForward extends Common {
  readonly direction: 'forward';
  readonly keeps: boolean;
  readonly moments?: boolean;
  /** Whether x is a sum, of the first two inputs, rounded to their dtype; it is the second output. */
  readonly adds?: FloatDType | undefined;
}

/** Inputs: x, what was kept, the operands, the upstream gradient. Outputs: the gradients that are wanted, in their order. */
export interface NormBackward extends Common {
  readonly direction: 'backward';
  readonly wants: { readonly x: boolean; readonly operands: readonly boolean[] };
  /** Gradients of operands by channel are those of each row: [rows, channels of a row], to be added up. */
  readonly apart?: boolean;
}

export type NormArgs = NormForward | NormBackward;

/** Numbers that are kept of a row. */
export const KEPT = 4;

/** Whether operands are constant over a row: each row is of one channel. */
export const byRow = ({ channels }: NormArgs): boolean => channels?.each === 1;

/** Indices of inputs or outputs that come one after another where they are there; else -1. */
export function indicesOf(there: readonly boolean[], first: number): number[] {
  let next = first;
  return there.map((is) => (is ? next++ : -1));
}

/** Where the operands are among the inputs. */
export function operandInputs(args: NormArgs): number[] {
  const { has, direction, given = false } = args;
  if (direction === 'backward') return indicesOf(has, 2);
  return indicesOf(has, 1 + (given ? 2 : 0) + Number(isSum(args)));
}

/** Whether x is a sum of two inputs. */
export const isSum = (args: NormArgs): boolean =>
  args.direction === 'forward' && args.adds !== undefined;

/** Where the gradients of the operands are among the outputs. */
export function operandOutputs({ wants }: NormBackward): number[] {
  return indicesOf(wants.operands, Number(wants.x));
}

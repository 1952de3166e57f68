// In: a call with hostile values, and an element where the GPU differs from the float64 path. Out: whether it may, each with
// the reason.
import type { Call } from '../calls.ts';

/** An element of a result (`out`) or of a tensor's gradient. */
export interface Difference {
  readonly name: string;
  readonly expected: number;
  readonly value: number;
}

interface Exception {
  readonly ops: readonly string[];
  readonly reason: string;
  readonly holds: (difference: Difference, call: Call) => boolean;
}

export const EXCEPTIONS: readonly Exception[] = [];

export function isExpected(call: Call, difference: Difference): boolean {
  return EXCEPTIONS.some(({ ops, holds }) => ops.includes(call.op) && holds(difference, call));
}

// Takes a library, an op and its inputs, and gives its first result, and an error where that is wrong.
import { mistake } from '../cases.ts';
import type { Inputs, OpName, Runner } from '../types.ts';

/** What a first result takes of a library. */
export interface Program {
  readonly prepare: (op: OpName, inputs: Inputs) => Reader | Promise<Reader | null> | null;
}
type Reader = Pick<Runner, 'read'>;

export async function firstResult(
  library: Program,
  op: OpName,
  inputs: Inputs,
): Promise<ArrayLike<number>[]> {
  const runner = await library.prepare(op, inputs);
  if (!runner) throw new Error(`no ${op}`);
  return runner.read();
}

export function judge(op: OpName, inputs: Inputs | undefined, result: ArrayLike<number>[]): void {
  const wrong = inputs ? mistake(op, inputs, result) : 'no inputs';
  if (wrong !== null) throw new Error(`${op}: ${wrong}`);
}

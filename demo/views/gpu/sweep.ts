// Takes a GPU, and gives the errors of every activation that somebody wrote with WGSL's built-ins, theirs and ours.
import type { Device } from 'nonlin';
import { withBuiltins } from '../../../test/accuracy/builtins.ts';
import { measured } from '../../../test/accuracy/cases.ts';
import type { Progress } from '../../lab/going.ts';
import { defaultsOf, optionsOf } from '../../lab/options.ts';
import { measureElementwise, type Errors } from '../accuracy/measurement.ts';
import type { OpErrors, OpResult } from './result.ts';

/** Inputs per sign and power of two. */
export const SAMPLES = 16;

export async function sweep(device: Device, progress: Progress): Promise<OpResult[]> {
  const ops = measured.filter((op) => op.kind === 'activation' && withBuiltins(op));
  const results: OpResult[] = [];
  for (const [i, op] of ops.entries()) {
    const within: Progress = {
      signal: progress.signal,
      report: (share) =>
        progress.report((i + share) / ops.length, `${op.op}, ${i + 1} of ${ops.length}`),
    };
    const values = Object.entries(defaultsOf(optionsOf(op))).map(
      ([name, value]): [string, number | string] => [
        name,
        typeof value === 'number' ? Math.fround(value) : String(value),
      ],
    );
    const options = Object.fromEntries(values);
    const { ours, builtin } = await measureElementwise(op, options, SAMPLES, device, within);
    if (!builtin) continue;
    results.push({
      op: op.op,
      builtin: errorsOf(builtin.forward),
      nonlin: errorsOf(ours.forward),
    });
  }
  return results;
}

const errorsOf = ({ worst, wrong, count }: Errors): OpErrors => ({
  ulp: worst,
  wrong: count > 0 ? wrong / count : 0,
});

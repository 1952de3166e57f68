// How adapters like their work, as `planOf` takes it: an app that plans for GPUs alone does without the code for others.
import { HARDWARE, SOFTWARE, type Tuning } from '../kernels/tuning.ts';
import { codeOf } from '../shader/lengths.ts';
import { shaderOf, type Program } from '../shader/link.ts';

/** How an adapter likes its work: `hardware` or `software`. */
export interface PlanTuning {
  /** What it is called. */
  readonly name: 'hardware' | 'software';
  /** What planners read. */
  readonly tuning: Tuning;
  /** The text of a shader module. */
  readonly codeOf: (program: Program, entry: string) => string;
}

/** Plans for GPUs. */
export const hardware: PlanTuning = { name: 'hardware', tuning: HARDWARE, codeOf: shaderOf };

/** Plans for adapters that emulate a GPU on a CPU: SwiftShader, lavapipe. */
export const software: PlanTuning = {
  name: 'software',
  tuning: SOFTWARE,
  codeOf: (program, entry) => codeOf(program, entry, true),
};

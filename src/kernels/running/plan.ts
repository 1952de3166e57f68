// Plans the update of running statistics: what was seen of a batch is added to them, in place. The CPU loop is here as well.
import kernelText from '../../../shaders/kernels/running/running.wgsl?raw';
import type { NumericArray } from '../../core/dtype.ts';
import {
  UniformWriter,
  workgroupSize,
  type Binding,
  type Capabilities,
  type Kernel,
  type Plan,
  type View,
} from '../../core/kernel.ts';
import { sqrt } from '../../shader/lib.ts';
import { cachedProgram, source } from '../../shader/link.ts';

const kernel = /* @__PURE__ */ source('kernels/running/running.wgsl', kernelText, [sqrt]);

export interface RunningArgs {
  /**
   * Inputs: the statistics, what was seen of each, and the number of batches where it is counted. Outputs: the statistics, and that
   * number.
   */
  readonly statistics: number;
  readonly counts: boolean;
  /** The weight of what was seen; null is that of one batch among all, which are counted. */
  readonly momentum: number | null;
}

export const runningKernel: Kernel<RunningArgs> = {
  name: 'runningStatistics',
  float16: 'convert',
  plan,
  cpu,
  aliases: ({ statistics }, output) => (output < statistics ? output : 2 * statistics),
};

const WORKGROUP = 256;

function plan(
  args: RunningArgs,
  _inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const { statistics, counts, momentum } = args;
  // What is in the memory of its output is bound once.
  const apart = outputs.map(({ aliasOf }, k) => aliasOf !== (k < statistics ? k : 2 * statistics));
  const bindings: Binding[] = [];
  const lines: string[] = [];
  const updates: string[] = [];
  const bind = (name: string, type: string, of: 'input' | 'output', index: number): void => {
    const slot = bindings.length + 1;
    const access = of === 'input' ? 'read' : 'write';
    const mode = of === 'input' ? 'read' : 'read_write';
    bindings.push({ slot, of, index, access });
    lines.push(`@group(0) @binding(${slot}) var<storage, ${mode}> ${name}: array<${type}>;`);
  };
  for (let k = 0; k < statistics; k++) {
    bind(`seen${k}`, 'f32', 'input', statistics + k);
    bind(`running${k}`, 'f32', 'output', k);
    const before = apart[k] ? `before${k}` : `running${k}`;
    if (apart[k]) bind(before, 'f32', 'input', k);
    updates.push(`  running${k}[i] = kept * ${before}[i] + momentum * seen${k}[i];`);
  }
  const batches = apart[statistics] ? 'batches_before' : 'batches';
  if (counts) {
    bind('batches', 'i32', 'output', statistics);
    if (apart[statistics]) bind(batches, 'i32', 'input', 2 * statistics);
  }
  lines.push(
    `fn count_of() -> i32 { return ${counts ? `${batches}[0]` : '0'}; }`,
    `fn store_count(count: i32) { ${counts ? 'batches[0] = count;' : ''} }`,
    `fn update_at(i: u32, kept: f32, momentum: f32) {\n${updates.join('\n')}\n}\n`,
  );
  const access = lines.join('\n');
  return {
    launches: [
      {
        program: cachedProgram(runningKernel, access, 'runningStatistics', kernel, () => ({
          access,
        })),
        entry: 'update',
        constants: {
          workgroup_size: workgroupSize(WORKGROUP, caps),
          cumulative: Number(momentum === null),
        },
        bindings,
        uniforms: new UniformWriter(3)
          .u32(statistics > 0 ? (outputs[0]?.size ?? 0) : 0)
          .f32(momentum ?? 0, 1 - (momentum ?? 0)).buffer,
        workgroups: [1, 1, 1],
      },
    ],
    scratch: [],
  };
}

function cpu(
  { statistics, counts, momentum }: RunningArgs,
  inputs: readonly NumericArray[],
  outputs: readonly NumericArray[],
): void {
  const count = (counts ? (inputs[2 * statistics]?.[0] ?? 0) : 0) + 1;
  const weight = momentum ?? 1 / count;
  for (let k = 0; k < statistics; k++) {
    const [before, seen, after] = [inputs[k], inputs[statistics + k], outputs[k]];
    after?.forEach((_, i) => {
      after[i] = (1 - weight) * (before?.[i] ?? NaN) + weight * (seen?.[i] ?? NaN);
    });
  }
  if (counts) outputs[statistics]?.set([count]);
}

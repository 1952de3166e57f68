// Plans the CTC loss. The first launch computes forward and backward variables side by side. If a gradient is wanted,
// the second launch computes it for all steps at once.
import gradientText from '../../../shaders/kernels/ctc/gradient.wgsl?raw';
import latticeText from '../../../shaders/kernels/ctc/lattice.wgsl?raw';
import { bits, exp, rowLanes, wide } from '../../shader/lib.ts';
import { cachedProgram, source } from '../../shader/link.ts';
import { statusCode } from '../../gpu/status.ts';
import {
  UniformWriter,
  workgroupSize,
  type Binding,
  type Capabilities,
  type Kernel,
  type Launch,
  type Plan,
  type BufferSlice,
  type View,
} from '../../core/kernel.ts';
import type { CtcArgs } from './args.ts';
import { ctcReference } from './reference.ts';
import { addSums, planSum } from '../reduce/sums.ts';
import { powerOfTwo, tileRows, workgroupsOf } from '../rows/tiling.ts';
import { fits, inputsOf, outputsOf, type Region } from '../windows/regions.ts';

const latticeKernel = /* @__PURE__ */ source('kernels/ctc/lattice.wgsl', latticeText, [bits, wide]);
const gradientKernel = /* @__PURE__ */ source('kernels/ctc/gradient.wgsl', gradientText, [
  bits,
  exp,
  rowLanes,
  wide,
]);

export const ctc: Kernel<CtcArgs> = {
  name: 'ctcLoss',
  float16: 'convert',
  plan,
  cpu: ctcReference,
};

/**
 * 32-bit words per batch element that the gradient launch reads: lengths, where the labels begin, and the likelihood.
 */
const FACTS = 5;
/** Bytes of one state at one step. */
const STATE = 8;
/** The largest number of states for which the variables of two steps, and a flag, fit into workgroup memory. */
function sharedStates({ maxWorkgroupStorage }: Capabilities): number {
  let states = 512;
  while (2 * states * STATE + 16 > maxWorkgroupStorage) states /= 2;
  return states;
}

interface Memory {
  readonly lattice: BufferSlice;
  readonly facts: BufferSlice;
  readonly losses: BufferSlice;
  /** Steps that the lattice keeps per batch element. */
  readonly rows: number;
  readonly states: number;
  /** The first batch element of a launch, and the number of batch elements. */
  readonly first: number;
  readonly count: number;
  /** Whether the bound log-probabilities and gradient contain only these batch elements. */
  readonly alone?: boolean;
}

function plan(
  args: CtcArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const ins = inputsOf(inputs);
  const outs = outputsOf(outputs);
  const large = [...inputs.slice(0, 1), ...outputs.slice(args.outputs.loss ? 1 : 0)];
  return fits(large, caps)
    ? planWhole(args, caps)
    : (planParts(args, ins, outs, caps) ?? planWhole(args, caps));
}

/**
 * For log-probabilities that are larger than a binding: plans a few batch elements at a time. The steps of these
 * elements are not contiguous in memory, so they are copied. Null if a single batch element is too large.
 */
function planParts(
  args: CtcArgs,
  inputs: readonly Region[],
  outs: readonly Region[],
  caps: Capabilities,
): Plan | null {
  const { steps, batch, classes, longest, reduction, outputs } = args;
  const windows = caps.windows(caps);
  const [logProbs, ...others] = inputs;
  const loss = outputs.loss ? outs[0] : undefined;
  const grad = outputs.grad ? outs[outputs.loss ? 1 : 0] : undefined;
  const states = 2 * longest + 1;
  const rows = outputs.grad ? steps : 2;
  const each = Math.max(steps * classes, ((outputs.grad ? 2 : 1) * rows * states * STATE) / 4);
  const chunk = Math.min(batch, caps.maxWorkgroups, Math.floor(windows.most / each));
  if (!logProbs || chunk === 0) return null;
  const lattice = windows.keep(chunk * (outputs.grad ? 2 : 1) * rows * states * 2);
  const facts = windows.keep(outputs.grad ? batch * FACTS : 1);
  const reduces = loss !== undefined && reduction !== 'none';
  const losses = loss && !reduces ? loss : windows.keep(batch);
  const at = (index: number): BufferSlice => ({ of: 'output', index });
  // These come after the gradient, because the launches expect the gradient as output 0 or 1.
  const memory = { lattice: at(2), facts: at(3), losses: at(4), rows, states, alone: true };
  for (let first = 0; first < batch; first += chunk) {
    const count = Math.min(chunk, batch - first);
    const block = {
      offset: first * classes,
      runs: steps,
      length: count * classes,
      stride: batch * classes,
    };
    windows.part(() => {
      const sources = [windows.read(logProbs, block), ...others];
      const target = grad ? windows.write(grad, block) : lattice;
      const part: Memory = { ...memory, first, count };
      const launches = [latticeLaunch(args, part, caps)];
      if (grad) launches.push(gradientLaunch(args, part, caps));
      const targets = [target, target, lattice, facts, losses];
      windows.add({ launches, scratch: [] }, sources, targets);
    });
  }
  if (reduces) {
    const divisor = reduction === 'mean' ? batch : 1;
    addSums(windows, { outer: 1, n: batch, inner: 1, divisor }, losses, loss);
  }
  return windows;
}

function planWhole(args: CtcArgs, caps: Capabilities): Plan {
  const { steps, batch, longest, reduction, outputs } = args;
  const states = 2 * longest + 1;
  const reduces = outputs.loss && reduction !== 'none';
  const rows = outputs.grad ? steps : 2;
  const directions = outputs.grad ? 2 : 1;
  const perElement = directions * rows * states * STATE;
  // As many batch elements per launch as one binding holds. The launches run one after another in the same memory.
  const most = Math.min(Math.floor(caps.maxBindingSize / perElement), caps.maxWorkgroups);
  const chunk = Math.max(1, Math.min(batch, most));
  const scratch = [chunk * perElement];
  const scratchOf = (bytes: number): BufferSlice => ({
    of: 'scratch',
    index: scratch.push(bytes) - 1,
  });
  const facts = scratchOf(outputs.grad ? batch * FACTS * 4 : 4);
  const losses: BufferSlice =
    outputs.loss && !reduces ? { of: 'output', index: 0 } : scratchOf(Math.max(batch, 1) * 4);
  const lattice: BufferSlice = { of: 'scratch', index: 0 };
  const launches: Launch[] = [];
  for (let first = 0; first < batch; first += chunk) {
    const count = Math.min(chunk, batch - first);
    const memory: Memory = { lattice, facts, losses, rows, states, first, count };
    launches.push(latticeLaunch(args, memory, caps));
    if (outputs.grad) launches.push(gradientLaunch(args, memory, caps));
  }
  if (!reduces) return { launches, scratch };
  const finish = planSum(
    { outer: 1, n: batch, inner: 1, divisor: reduction === 'mean' ? batch : 1 },
    losses,
    { of: 'output', index: 0 },
    scratch.length,
    caps,
  );
  return { launches: [...launches, ...finish.launches], scratch: [...scratch, ...finish.scratch] };
}

/** Which invocations share a batch element, and where the variables of a step are stored. */
type Variant = 'invocation' | 'shared' | 'storage';

/** The lattice kernel's `memory` slot. */
function memorySlot(variant: Variant, keeps: boolean): string {
  const at = 'lattice[(item * u.rows + t % u.rows) * u.states + s]';
  const bind = (slot: number, name: string, type: string): string =>
    `@group(0) @binding(${slot}) var<storage, read_write> ${name}: array<${type}>;\n`;
  const shared = [
    'override shared_size = 128u;\n', // for two steps
    'var<workgroup> latest: array<vec2f, shared_size>;\n',
    'fn state_of(item: u32, t: u32, s: u32) -> vec2f { return latest[(t % 2u) * (shared_size / 2u) + s]; }\n',
    'fn write(item: u32, t: u32, s: u32, v: vec2f) {\n  latest[(t % 2u) * (shared_size / 2u) + s] = v;\n',
    keeps ? `  ${at} = v;\n` : '',
    '}\n',
  ];
  const stored = [
    `fn state_of(item: u32, t: u32, s: u32) -> vec2f { return ${at}; }\n`,
    `fn write(item: u32, t: u32, s: u32, v: vec2f) { ${at} = v; }\n`,
  ];
  const alone = [
    'fn item_of(workgroup: vec3u, local: u32) -> u32 { return workgroup.x * workgroup_size + local; }\n',
    'fn lane_of(local: u32) -> Lane { return Lane(0u, 1u); }\n',
    'fn any_of(c: bool, local: u32) -> bool { return c; }\n',
    'fn settle() {}\n',
  ];
  const together = [
    'var<workgroup> found: atomic<u32>;\n',
    'fn item_of(workgroup: vec3u, local: u32) -> u32 { return workgroup.x; }\n',
    'fn lane_of(local: u32) -> Lane { return Lane(local, workgroup_size); }\n',
    'fn any_of(c: bool, local: u32) -> bool {\n  if (c) { atomicStore(&found, 1u); }\n  workgroupBarrier();\n  return atomicLoad(&found) != 0u;\n}\n',
    `fn settle() { ${variant === 'storage' ? 'storageBarrier' : 'workgroupBarrier'}(); }\n`,
  ];
  return [
    keeps || variant !== 'shared' ? bind(5, 'lattice', 'vec2f') : '',
    keeps ? bind(6, 'facts', 'i32') : '',
    `fn keep_fact(n: u32, i: u32, v: i32) { ${keeps ? 'facts[n * 5u + i] = v;' : ''} }\n`,
    ...(variant === 'shared' ? shared : stored),
    ...(variant === 'invocation' ? alone : together),
  ].join('');
}

function latticeLaunch(args: CtcArgs, memory: Memory, caps: Capabilities): Launch {
  const { rows, states, first, count, alone = false } = memory;
  const keeps = args.outputs.grad;
  const { ctcByWorkgroup } = caps.tuning;
  const variant: Variant = !ctcByWorkgroup
    ? 'invocation'
    : states <= sharedStates(caps)
      ? 'shared'
      : 'storage';
  const access = memorySlot(variant, keeps);
  const linked = cachedProgram(ctc, `lattice;${access}`, 'ctcLoss', latticeKernel, () => ({
    memory: access,
  }));
  // Each invocation computes a pair of states, a blank and a label.
  const size = ctcByWorkgroup ? powerOfTwo(args.longest + 1, 32, workgroupSize(256, caps)) : 4;
  const bindings: Binding[] = [0, 1, 2, 3].map((index) => ({
    slot: 1 + index,
    of: 'input',
    index,
    access: 'read',
  }));
  if (keeps || variant !== 'shared') {
    bindings.push({ slot: 5, ...memory.lattice, access: 'write' });
  }
  if (keeps) bindings.push({ slot: 6, ...memory.facts, access: 'write' });
  bindings.push({ slot: 7, ...memory.losses, access: 'write' });
  bindings.push({ slot: 11, of: 'status', index: 0, access: 'write' });
  return {
    program: linked,
    entry: 'advance',
    constants: {
      workgroup_size: size,
      ...(variant === 'shared'
        ? { shared_size: 2 * powerOfTwo(states, 64, sharedStates(caps)) }
        : {}),
    },
    bindings,
    uniforms: new UniformWriter(14).u32(
      args.steps,
      alone ? count : args.batch,
      args.classes,
      args.stride,
      args.labels,
      states,
      rows,
      first,
      count,
      args.blank,
      statusCode('ctcLoss'),
      Number(args.zeroInfinity),
      Number(args.reduction === 'mean'),
      alone ? first : 0,
    ).buffer,
    workgroups: [variant === 'invocation' ? Math.ceil(count / size) : count, keeps ? 2 : 1, 1],
  };
}

function gradientLaunch(args: CtcArgs, memory: Memory, caps: Capabilities): Launch {
  const { states, first, count, alone = false } = memory;
  const tiling = tileRows(
    { outer: args.steps * count, n: Math.max(args.classes, args.longest), inner: 1 },
    caps,
  );
  const above = args.gradOutput
    ? `grad_output[${args.reduction === 'none' ? 'n' : '0'}] * u.scale`
    : 'u.scale';
  const access = [
    args.gradOutput ? '@group(0) @binding(6) var<storage, read> grad_output: array<f32>;\n' : '',
    `fn upstream_of(n: u32) -> f32 { return ${above}; }\n`,
    `fn settle() { ${tiling.unit === 'workgroup' ? 'storageBarrier();' : ''} }\n`,
  ].join('');
  const key = `gradient;${tiling.unit};${access}`;
  const linked = cachedProgram(ctc, key, 'ctcLoss', gradientKernel, () => ({
    rows: tiling.source,
    access,
  }));
  const output = args.outputs.loss ? 1 : 0;
  return {
    program: linked,
    entry: 'rows',
    constants: tiling.constants,
    bindings: [
      { slot: 1, of: 'input', index: 0, access: 'read' },
      { slot: 2, of: 'input', index: 1, access: 'read' },
      { slot: 3, ...memory.lattice, access: 'read' },
      { slot: 4, ...memory.facts, access: 'read' },
      { slot: 5, of: 'output', index: output, access: 'write' },
      ...(args.gradOutput ? [{ slot: 6, of: 'input', index: 4, access: 'read' } as const] : []),
    ],
    uniforms: new UniformWriter(11)
      .u32(
        args.steps,
        alone ? count : args.batch,
        args.classes,
        states,
        first,
        count,
        args.blank,
        Number(args.zeroInfinity),
        Number(args.reduction === 'mean'),
      )
      .f32(args.reduction === 'mean' ? 1 / args.batch : 1)
      .u32(alone ? first : 0).buffer,
    workgroups: workgroupsOf(tiling, tiling.rows, caps),
  };
}

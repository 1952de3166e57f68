// Plans norms: results and gradients row by row, and the gradients of operands by columns.
import type {
  Binding,
  BufferSlice,
  Capabilities,
  Kernel,
  Launch,
  Plan,
  View,
} from '../../core/kernel.ts';
import { addSums, planSum } from '../reduce/plan.ts';
import { isPacked } from '../rows/bindings.ts';
import { tileChunks } from '../rows/tiling.ts';
import { fits, inputsOf, outputsOf, stretch, viewsOf, type Region } from '../windows/regions.ts';
import { Windows } from '../windows/windows.ts';
import {
  KEPT,
  operandInputs,
  operandOutputs,
  type NormArgs,
  type NormBackward,
  type NormForward,
} from './args.ts';
import { SLOTS, type NormTensors } from './bindings.ts';
import { dtypeOf, gradientReads, launchColumns, launchRows, operandBindings } from './launch.ts';
import { computeNorm } from './reference.ts';

export const normKernel: Kernel<NormArgs> = {
  name: 'norm',
  float16: 'native',
  // Two rows may share a word; and gradients of operands are sums.
  widens: (args, output) =>
    !isPacked(args.layout) || (args.direction === 'backward' && output >= Number(args.wants.x)),
  plan: (args, inputs, outputs, caps) => {
    if (args.layout.n === 0) return { launches: [], scratch: [] };
    return args.direction === 'forward'
      ? planForward(args, inputs, outputs, caps)
      : planBackward(args, inputs, outputs, caps);
  },
  cpu: computeNorm,
};

/** Rows of a group whose gradients of operands one invocation adds up, at least. */
const GROUP = 16;

const PLANNED_NOTHING: Plan = { launches: [], scratch: [] };

function planForward(
  args: NormForward,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const { layout, keeps } = args;
  if (fits([...inputs, ...outputs], caps)) return planResults(args, inputs, outputs, caps);
  const windows = new Windows(caps);
  const planned = windows.rows(
    layout,
    inputsOf(inputs).map((region, i) => ({ ...region, each: i === 0 ? layout.n : null })),
    outputsOf(outputs).map((region, i) => ({
      ...region,
      each: keeps && i === 1 ? KEPT : layout.n,
    })),
    ({ outer }, from, to) =>
      planResults({ ...args, layout: { ...layout, outer } }, viewsOf(from), viewsOf(to), caps),
  );
  // A row is longer than a binding: refused where it is launched.
  return planned ? windows : planResults(args, inputs, outputs, caps);
}

function planResults(
  args: NormForward,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const { layout, keeps } = args;
  if (layout.outer === 0) return PLANNED_NOTHING;
  const [x, y] = [dtypeOf(inputs, 0), dtypeOf(outputs, 0)];
  const places = operandInputs(args);
  const operands = places.map((index) => inputs[index]?.dtype);
  const reads: Binding[] = [{ slot: SLOTS.x, of: 'input', index: 0, access: 'read' }];
  const writes: Binding[] = [
    ...operandBindings(places),
    { slot: SLOTS.y, of: 'output', index: 0, access: 'write' },
  ];
  if (keeps) writes.push({ slot: SLOTS.statistics, of: 'output', index: 1, access: 'write' });
  const written: NormTensors = { x, y, operands, statistics: keeps ? 'write' : undefined };
  // All launches of chunks have one program; what they do not bind is not in their shaders.
  const tiling = tileChunks(layout, caps);
  const { rows, chunks } = tiling;
  const launch = (entry: string, bindings: readonly Binding[]): Launch =>
    launchRows(args, tiling, written, entry, bindings, caps);
  if (chunks === 1) {
    return { launches: [launch('forward_rows', [...reads, ...writes])], scratch: [] };
  }
  const parts: Binding = { slot: SLOTS.parts, of: 'scratch', index: 0, access: 'write' };
  return {
    launches: [
      launch('forward_first', [...reads, parts]),
      launch('forward_second', [...reads, parts]),
      launch('forward_chunks', [...reads, ...writes, parts]),
    ],
    scratch: [rows * chunks * 16],
  };
}

function planBackward(
  args: NormBackward,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const { layout, wants } = args;
  const { n } = layout;
  const places = operandOutputs(args);
  // Without rows there are no groups: sums of nothing.
  const groups = layout.outer === 0 ? 0 : groupsOf(args, caps);
  if (fits([...inputs, ...outputs], caps)) {
    const launches: Launch[] = [];
    const scratch: number[] = [];
    const add = (plan: Plan): void => {
      launches.push(...plan.launches);
      scratch.push(...plan.scratch);
    };
    if (wants.x) add(planGradient(args, inputs, outputs, caps));
    const finishes: Plan[] = [];
    const sums = places.map((index): BufferSlice => {
      const output: BufferSlice = { of: 'output', index };
      if (index < 0 || groups === 1) return output;
      const partial: BufferSlice = {
        of: 'scratch',
        index: scratch.push(Math.max(16, groups * n * 4)) - 1,
      };
      const rows = { outer: 1, n: groups, inner: n, divisor: 1 };
      const finish = planSum(rows, partial, output, scratch.length, caps);
      scratch.push(...finish.scratch);
      finishes.push(finish);
      return partial;
    });
    if (groups > 0 && wants.operands.includes(true))
      launches.push(launchColumns(args, groups, inputs, sums, caps));
    for (const finish of finishes) launches.push(...finish.launches);
    return { launches, scratch };
  }
  const windows = new Windows(caps);
  const outs = outputsOf(outputs);
  let kept: (Region | undefined)[] = [];
  let count = 0;
  const planned = windows.rows(
    layout,
    inputsOf(inputs).map((region, i) => {
      const whole = operandInputs(args).includes(i);
      return { ...region, each: whole ? null : i === 1 ? KEPT : n };
    }),
    outs.slice(0, Number(wants.x)).map((region) => ({ ...region, each: n })),
    (part, from, to) => {
      const some = { ...args, layout: { ...layout, outer: part.outer } };
      if (wants.x) windows.add(planGradient(some, viewsOf(from), viewsOf(to), caps), from, to);
      if (!wants.operands.includes(true)) return null;
      count = part.count * groups;
      if (part.index === 0)
        kept = places.map((index) => (index < 0 ? undefined : windows.keep(count * n)));
      const block = stretch(part.index * groups * n, groups * n);
      const targets = kept.flatMap((sums) => (sums ? [windows.write(sums, block)] : []));
      let next = 0;
      const sums = kept.map((one): BufferSlice => ({ of: 'output', index: one ? next++ : -1 }));
      const columns = launchColumns(some, groups, viewsOf(from), sums, caps);
      windows.add({ launches: [columns], scratch: [] }, from, targets);
      return null;
    },
  );
  if (!planned)
    return { launches: [...planGradient(args, inputs, outputs, caps).launches], scratch: [] };
  kept.forEach((sums, i) => {
    const output = outs[places[i] ?? -1];
    if (sums && output)
      addSums(windows, { outer: 1, n: count, inner: n, divisor: 1 }, sums, output);
  });
  return windows;
}

/** The gradient of x. */
function planGradient(
  args: NormBackward,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const { layout } = args;
  if (layout.outer === 0) return PLANNED_NOTHING;
  const places = operandInputs(args);
  const upstream = inputs.length - 1;
  const has: NormTensors = {
    x: dtypeOf(inputs, 0),
    y: dtypeOf(outputs, 0),
    gradOutput: dtypeOf(inputs, upstream),
    statistics: 'read',
    operands: places.map((index) => inputs[index]?.dtype),
  };
  const tiling = tileChunks(layout, caps);
  const { rows, chunks } = tiling;
  const launch = (entry: string, bindings: readonly Binding[]): Launch =>
    launchRows(args, tiling, has, entry, bindings, caps);
  const reads = [...gradientReads(upstream), ...operandBindings(places)];
  const writes: Binding = { slot: SLOTS.y, of: 'output', index: 0, access: 'write' };
  if (chunks === 1) return { launches: [launch('backward_rows', [...reads, writes])], scratch: [] };
  const parts: Binding = { slot: SLOTS.parts, of: 'scratch', index: 0, access: 'write' };
  return {
    launches: [
      launch('backward_parts', [...reads, parts]),
      launch('backward_chunks', [...reads, writes, parts]),
    ],
    scratch: [rows * chunks * 8],
  };
}

/** Groups of rows, for as many invocations as the adapter likes. */
function groupsOf({ layout: { outer, n } }: NormBackward, { tuning }: Capabilities): number {
  const quads = Math.ceil(n / 4);
  const wanted = Math.min(Math.ceil(tuning.invocations / quads), Math.ceil(outer / GROUP));
  return Math.max(1, wanted);
}

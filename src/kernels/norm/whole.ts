// Plans norms of tensors that fit bindings: results and gradients row by row, and the gradients of operands by columns, or by
// channels.
import type { Binding, BufferSlice, Capabilities, Launch, Plan, View } from '../../core/kernel.ts';
import { planSum } from '../reduce/sums.ts';
import { tileChunks } from '../rows/tiling.ts';
import {
  byRow,
  isSum,
  operandInputs,
  operandOutputs,
  type NormArgs,
  type NormBackward,
  type NormForward,
} from './args.ts';
import { SLOTS, type NormTensors } from './bindings.ts';
import {
  dtypeOf,
  gradientReads,
  launchColumns,
  launchRows,
  operandBindings,
  sumBindings,
} from './launch.ts';

/** Rows of a group whose gradients of operands one invocation adds up, at least. */
const GROUP = 16;

const PLANNED_NOTHING: Plan = { launches: [], scratch: [] };

/** The results, and what is kept of rows. */
export function planResults(
  args: NormForward,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const { layout, keeps, moments = false, given = false } = args;
  if (isEmpty(args)) return PLANNED_NOTHING;
  const [x, y] = [dtypeOf(inputs, 0), dtypeOf(outputs, 0)];
  const places = operandInputs(args);
  const operands = places.map((index) => inputs[index]?.dtype);
  const reads: Binding[] = [{ slot: SLOTS.x, of: 'input', index: 0, access: 'read' }];
  const writes: Binding[] = [
    ...operandBindings(places),
    { slot: SLOTS.y, of: 'output', index: 0, access: 'write' },
  ];
  const adds = isSum(args);
  let next = 1;
  const write = (slot: number): number =>
    writes.push({ slot, of: 'output', index: next++, access: 'write' });
  if (adds) {
    reads.push({ slot: SLOTS.residual, of: 'input', index: 1, access: 'read' });
    write(SLOTS.sum);
  }
  if (keeps) write(SLOTS.statistics);
  if (moments) {
    write(SLOTS.mean);
    write(SLOTS.variance);
  }
  if (given) {
    reads.push({ slot: SLOTS.givenMean, of: 'input', index: 1, access: 'read' });
    reads.push({ slot: SLOTS.givenVariance, of: 'input', index: 2, access: 'read' });
  }
  const written: NormTensors = {
    x,
    y,
    operands,
    sum: adds ? dtypeOf(outputs, 1) : undefined,
    statistics: keeps ? 'write' : undefined,
    moments,
    given: given ? dtypeOf(inputs, 1) : undefined,
  };
  // All launches of chunks have one program; what they do not bind is not in their shaders.
  const tiling = tileChunks(layout, caps);
  const { rows, chunks } = tiling;
  const launch = (entry: string, bindings: readonly Binding[]): Launch =>
    launchRows(args, layout, tiling, written, entry, bindings, caps);
  if (given) return { launches: [launch('forward_given', [...reads, ...writes])], scratch: [] };
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

/** Plans that are put together, each with scratch of its own. */
class Plans implements Plan {
  readonly launches: Launch[] = [];
  readonly scratch: number[] = [];

  /** Scratch for so many float32. */
  floats(count: number): BufferSlice {
    return { of: 'scratch', index: this.scratch.push(Math.max(16, count * 4)) - 1 };
  }

  /** Adds a plan whose scratch begins at `first`, which is where its own ends. */
  append({ launches, scratch }: Plan): void {
    this.launches.push(...launches);
    this.scratch.push(...scratch);
  }
}

/** The gradients that are wanted. */
export function planBackward(
  args: NormBackward,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const { layout, wants, channels } = args;
  const plans = new Plans();
  const some = wants.operands.includes(true);
  // Rows, groups of rows, or chunks of them: each leaves a share of the sums. Without any these are 0.
  const width = channels ? widthOf(args) : layout.n;
  const count = isEmpty(args) || !some ? 0 : sharesOf(args, caps);
  const sums = operandOutputs(args).map((index): BufferSlice => {
    const output: BufferSlice = { of: 'output', index };
    return index < 0 || count === 1 ? output : plans.floats(count * width);
  });
  plans.append(planGradients(args, inputs, outputs, sums, caps, plans.scratch.length));
  operandOutputs(args).forEach((index, i) => {
    const partial = sums[i];
    if (index < 0 || count === 1 || !partial) return;
    const rows = { outer: 1, n: count, inner: width, divisor: 1 };
    const from = plans.scratch.length;
    plans.append(planSum(rows, partial, { of: 'output', index }, from, caps));
  });
  return plans;
}

const isEmpty = ({ layout: { outer, n } }: NormArgs): boolean => outer === 0 || n === 0;

/** Numbers of a gradient of an operand by channel: of all channels, or of those of each row. */
function widthOf({ layout, channels, apart = false }: NormBackward): number {
  const { groups = 1, each = 1 } = channels ?? {};
  return (apart ? layout.outer * layout.inner : groups) * each;
}

/** How many terms the gradients of operands are sums of, once launches over rows are done. */
function sharesOf(args: NormBackward, caps: Capabilities): number {
  const { layout, channels } = args;
  if (!channels) return groupsOf(args, caps);
  const batches = (layout.outer * layout.inner * channels.each) / widthOf(args);
  return tileChunks(byRow(args) ? layout : spansOf(args), caps).chunks * batches;
}

/** The rows, one channel each, that those of several channels consist of. */
function spansOf({ layout, channels }: NormBackward): NormBackward['layout'] {
  const { each = 1, span = layout.n } = channels ?? {};
  return { outer: layout.outer * each, n: span, inner: 1, span };
}

/** The gradient of x, and shares of the gradients of operands. `scratch`: the index of the first scratch. */
function planGradients(
  args: NormBackward,
  inputs: readonly View[],
  outputs: readonly View[],
  sums: readonly BufferSlice[],
  caps: Capabilities,
  scratch: number,
): Plan {
  const { layout, wants, channels, given = false } = args;
  if (isEmpty(args)) return PLANNED_NOTHING;
  const some = wants.operands.includes(true);
  const own = byRow(args);
  const upstream = inputs.length - 1;
  const reads = gradientReads(upstream);
  const launches: Launch[] = [];
  if (some && !channels)
    launches.push(launchColumns(args, groupsOf(args, caps), inputs, sums, caps));
  // The two sums of each row are those of the operands too, unless no gradient of x needs them, or operands differ within it.
  if (some && channels && (!own || !wants.x || given)) {
    const rows = own ? layout : spansOf(args);
    const has: NormTensors = {
      x: dtypeOf(inputs, 0),
      gradOutput: dtypeOf(inputs, upstream),
      statistics: 'read',
      operands: [],
      grads: wants.operands,
      spans: !own,
    };
    const tiling = tileChunks(rows, caps);
    const bindings = [...reads, ...sumBindings(sums)];
    launches.push(launchRows(args, rows, tiling, has, 'backward_sums', bindings, caps));
  }
  if (!wants.x) return { launches, scratch: [] };
  const rest = planGradient(args, inputs, outputs, own && !given ? sums : [], caps, scratch);
  return { launches: [...launches, ...rest.launches], scratch: rest.scratch };
}

/** The gradient of x. `sums`: where the sums of rows go, if operands are by row. */
function planGradient(
  args: NormBackward,
  inputs: readonly View[],
  outputs: readonly View[],
  sums: readonly BufferSlice[],
  caps: Capabilities,
  scratch: number,
): Plan {
  const { layout, wants, given = false } = args;
  const places = operandInputs(args);
  const upstream = inputs.length - 1;
  const summed = sumBindings(sums);
  const has: NormTensors = {
    x: dtypeOf(inputs, 0),
    y: dtypeOf(outputs, 0),
    gradOutput: dtypeOf(inputs, upstream),
    statistics: 'read',
    operands: places.map((index) => inputs[index]?.dtype),
    ...(summed.length > 0 ? { grads: wants.operands } : {}),
  };
  const tiling = tileChunks(layout, caps);
  const { rows, chunks } = tiling;
  const launch = (entry: string, bindings: readonly Binding[]): Launch =>
    launchRows(args, layout, tiling, has, entry, bindings, caps);
  const operands = operandBindings(places);
  const reads = [...gradientReads(upstream), ...operands];
  const writes: Binding = { slot: SLOTS.y, of: 'output', index: 0, access: 'write' };
  if (given) {
    const [, ...others] = gradientReads(upstream);
    return {
      launches: [launch('backward_given', [...others, ...operands, writes])],
      scratch: [],
    };
  }
  if (chunks === 1) {
    return { launches: [launch('backward_rows', [...reads, ...summed, writes])], scratch: [] };
  }
  const parts: Binding = { slot: SLOTS.parts, of: 'scratch', index: scratch, access: 'write' };
  return {
    launches: [
      launch('backward_parts', [...reads, ...summed, parts]),
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

// Plans class losses, where scores are rows over classes and each row has a class index or class probabilities:
// losses, their reduction, and gradients. Only sums of chunks of rows, and of losses, are stored between launches.
import weightText from '../../../shaders/kernels/class-loss/weight.wgsl?raw';
import { bits, classLabel } from '../../shader/lib.ts';
import { cachedProgram, source } from '../../shader/link.ts';
import { statusCode } from '../../gpu/status.ts';
import {
  UniformWriter,
  workgroupSize,
  type Binding,
  type Capabilities,
  type Kernel,
  type Launch,
  type BufferSlice,
  type Plan,
  type View,
} from '../../core/kernel.ts';
import { SLOTS, weightAccess } from './bindings.ts';
import { placesOf, type ClassLossArgs } from './args.ts';
import { launchOf, type Own } from './launch.ts';
import { classLossReference } from './reference.ts';
import { addSums, planRatio, planSum } from '../reduce/sums.ts';
import { isPacked } from '../rows/bindings.ts';
import { tileChunks, windowsOf } from '../rows/tiling.ts';
import {
  fits,
  inputsOf,
  outputsOf,
  rowsOf,
  stretch,
  viewsOf,
  type Region,
} from '../windows/regions.ts';
import type { Windows } from '../windows/windows.ts';

const weightKernel = /* @__PURE__ */ source('kernels/class-loss/weight.wgsl', weightText, [
  bits,
  classLabel,
]);
export const classLoss: Kernel<ClassLossArgs> = {
  name: 'classLoss',
  float16: 'native',
  // Losses are few, so they are computed as float32 and converted. Gradients are converted only if two rows may share
  // one 32-bit word.
  widens: (args, output) => output === placesOf(args).outputs.loss || !isPacked(args.layout),
  plan,
  cpu: classLossReference,
};

/**
 * Rows are divided into chunks only if there are at most this many. One invocation can then also sum the weights of
 * all rows.
 */
const SPLIT_ROWS = 256;

function plan(
  args: ClassLossArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const { op, layout, reduction } = args;
  const places = placesOf(args);
  const grads = args.outputs.gradScores || args.outputs.gradProbabilities;
  const rows = layout.outer * layout.inner;
  const loss: BufferSlice = { of: 'output', index: places.outputs.loss };
  const divisor: BufferSlice | undefined = args.outputs.divisor
    ? { of: 'output', index: places.outputs.divisor }
    : args.inputs.divisor
      ? { of: 'input', index: places.inputs.divisor }
      : undefined;
  const launches: Launch[] = [];
  const scratch: number[] = [];
  const add = (bytes: number): BufferSlice => ({ of: 'scratch', index: scratch.push(bytes) - 1 });
  const reduces = reduction !== 'none' && args.outputs.loss;
  const context = { args, inputs, outputs, caps };

  // Ops that do not normalise read only the score at the label, so without gradients there is nothing to divide.
  const splits = rows <= SPLIT_ROWS && (op.normalised || grads);
  const large = largeViews(args, inputs, outputs);
  const sliced = rows > 0 ? windowsOf(layout, large, caps) : [];
  const others = [...inputs, ...outputs].filter((view) => !large.includes(view));
  if (rows > 0 && (sliced.length === 0 || !fits(others, caps))) {
    const parts = planParts(args, inputs, outputs, caps);
    if (parts) return parts;
  }
  // If no window holds a row, this goes on without windows, and binding the tensor throws an error.
  const whole = { layout, first: 0, part: false };
  const windows = rows > 0 && sliced.length === 0 ? [whole] : sliced;
  // The number of units is limited such that one workgroup can sum the losses of all units, and their weights for a
  // mean without gradients.
  const most = Math.ceil(caps.tuning.rowSums / Math.max(windows.length, 1));
  const tilings = windows.map((window) => tileChunks(window.layout, caps, splits));
  const stored = tilings.map(({ chunks, rows: count }) =>
    reduces && chunks === 1 ? Math.min(count, most) : count,
  );
  const [only] = windows.length === 1 ? tilings : [];
  const chunked = only !== undefined && only.chunks > 1 ? only : undefined;
  if (chunked && op.normalised && reduces && !grads) {
    const parts = add(rows * chunked.chunks * 16);
    const base = { ...context, window: windows[0], tiling: chunked };
    launches.push(
      launchOf({ ...base, phase: 'parts', units: rows * chunked.chunks, own: { parts } }),
    );
    launches.push(launchOf({ ...base, phase: 'finish', units: 1, own: { parts, losses: loss } }));
    return { launches, scratch };
  }

  // If the sums of chunks are made first, the same launch sums the divisor. Otherwise a launch of its own does,
  // before all others.
  const inPassing = args.outputs.divisor && chunked !== undefined && op.normalised;
  if (args.outputs.divisor && divisor && !inPassing) {
    launches.push(weightLaunch(args, inputs, divisor, caps));
  }
  const total = stored.reduce((a, b) => a + b, 0);
  const losses = reduces ? add(total * 4) : loss;
  const byWeight =
    reduces && reduction === 'mean' && args.inputs.target === 'classes' && args.count === null;
  const weights = byWeight && !args.outputs.divisor ? add(total * 4) : undefined;
  const own: Own = {
    ...(args.outputs.loss ? { losses } : {}),
    ...(weights ? { rowWeights: weights } : {}),
    ...(divisor ? { divisor } : {}),
  };
  let firstLoss = 0;
  windows.forEach((window, k) => {
    const tiling = tilings[k];
    const units = stored[k] ?? 0;
    if (!tiling) return;
    const base = { ...context, window, tiling, firstLoss };
    if (tiling.chunks === 1) {
      const dealt = Math.min(tiling.rows, most);
      launches.push(launchOf({ ...base, phase: 'rows', units: dealt, own, summed: reduces }));
    } else {
      const parts = add(op.normalised ? tiling.rows * tiling.chunks * 16 : 16);
      const all = tiling.rows * tiling.chunks;
      if (op.normalised) {
        const made = { parts, ...(inPassing && divisor ? { divisor } : {}) };
        launches.push(launchOf({ ...base, phase: 'parts', units: all, own: made }));
      }
      const needed = grads ? all : tiling.rows;
      launches.push(launchOf({ ...base, phase: 'chunks', units: needed, own: { ...own, parts } }));
    }
    firstLoss += units;
  });
  if (!reduces) return { launches, scratch };
  return finish(args, total, losses, weights, divisor, { launches, scratch }, caps);
}

/**
 * Plans some rows at a time, each part like a call of its own. This is for calls where tensors other than the scores,
 * or even slices of the scores, are too large for a binding. The divisor of a mean is computed first. Null if a row
 * is longer than a binding.
 */
function planParts(
  args: ClassLossArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan | null {
  const { layout, reduction } = args;
  const { outer, n, inner } = layout;
  const rows = outer * inner;
  const places = placesOf(args);
  const [ins, outs] = [inputsOf(inputs), outputsOf(outputs)];
  const windows = caps.windows(caps);
  const reduces = reduction !== 'none';
  const classes = args.inputs.target === 'classes';
  const count = reduction === 'mean' && !classes ? rows : args.count;
  const counted = reduction !== 'mean' || count !== null;
  // This is a mean whose weights depend on targets that only the GPU knows.
  let divisor = args.inputs.divisor ? ins[places.inputs.divisor] : undefined;
  if (!counted && !divisor) divisor = outs[places.outputs.divisor] ?? windows.keep(1);
  if (divisor && !args.inputs.divisor) addWeights(args, windows, ins, divisor);
  const grads = args.outputs.gradScores || args.outputs.gradProbabilities;
  const part: ClassLossArgs = {
    ...args,
    count,
    // Losses are divided at the end, but gradients must be divided here.
    reduction: counted ? reduction : 'sum',
    inputs: { ...args.inputs, divisor: grads && divisor !== undefined },
    outputs: { ...args.outputs, divisor: false },
  };
  const reads = ins.flatMap((region, i) => {
    if (i === 0) return rowsOf(region, n);
    if (i === 1) return rowsOf(region, classes ? 1 : n);
    if (i === places.inputs.divisor) return [];
    return rowsOf(region, i === places.inputs.gradOutput && !reduces ? 1 : null);
  });
  const writes = outs.flatMap((region, k) => {
    if (k === places.outputs.divisor || (reduces && k === places.outputs.loss)) return [];
    return rowsOf(region, k === places.outputs.loss ? 1 : n);
  });
  const loss = reduces ? outs[places.outputs.loss] : undefined;
  let sums: Region | undefined;
  const planned = windows.rows(
    layout,
    [...reads, ...(grads ? rowsOf(divisor, null) : [])],
    writes,
    ({ index, count: parts, ...some }, from, to) => {
      if (loss) sums ??= windows.keep(parts);
      const own = { outer: some.outer, n, inner: some.inner };
      const made = sums ? [windows.write(sums, stretch(index, 1)), ...to] : to;
      windows.add(plan({ ...part, layout: own }, viewsOf(from), viewsOf(made), caps), from, made);
      return null;
    },
  );
  if (!planned) return null;
  if (sums && loss) {
    const all = { outer: 1, n: sums.view.size, inner: 1, divisor: 1 };
    addSums(windows, all, sums, loss, counted ? undefined : divisor);
  }
  return windows;
}

/** The launch that sums the weights of all rows' classes. */
function addWeights(
  args: ClassLossArgs,
  windows: Windows,
  inputs: readonly Region[],
  divisor: Region,
): void {
  const rows = args.layout.outer * args.layout.inner;
  const weights = placesOf(args).inputs.weights;
  let sums: Region | undefined;
  windows.rows(
    { outer: rows, inner: 1 },
    [...rowsOf(inputs[0], null), ...rowsOf(inputs[1], 1), ...rowsOf(inputs[weights], null)],
    [],
    ({ outer, index, count }, from) => {
      sums ??= windows.keep(count);
      const layout = { ...args.layout, outer, inner: 1 };
      const own: ClassLossArgs = { ...args, layout, inputs: { ...args.inputs, gradOutput: false } };
      const launch = weightLaunch(own, viewsOf(from), { of: 'output', index: 0 }, windows.caps);
      const target = windows.write(sums, stretch(index, 1));
      windows.add({ launches: [launch], scratch: [] }, from, [target]);
      return null;
    },
  );
  if (!sums) return;
  addSums(windows, { outer: 1, n: sums.view.size, inner: 1, divisor: 1 }, sums, divisor);
}

/** The tensors that have the shape of the scores. These may be larger than a binding. */
function largeViews(
  args: ClassLossArgs,
  inputs: readonly View[],
  outputs: readonly View[],
): readonly View[] {
  const { gradScores, gradProbabilities } = placesOf(args).outputs;
  const views = [
    inputs[0],
    args.inputs.target === 'classes' ? undefined : inputs[1],
    outputs[gradScores],
    outputs[gradProbabilities],
  ];
  return views.filter((view) => view !== undefined);
}

/** The launches so far, and those that reduce `count` losses to one. */
function finish(
  { reduction, layout, count: known, outputs, inputs }: ClassLossArgs,
  count: number,
  losses: BufferSlice,
  weights: BufferSlice | undefined,
  divisor: BufferSlice | undefined,
  { launches, scratch }: Plan,
  caps: Capabilities,
): Plan {
  const loss: BufferSlice = { of: 'output', index: 0 };
  const byWeight = reduction === 'mean' && inputs.target === 'classes' && outputs.divisor;
  const rows = layout.outer * layout.inner;
  const last = weights
    ? planRatio(count, losses, weights, loss, scratch.length, caps)
    : planSum(
        { outer: 1, n: count, inner: 1, divisor: reduction === 'mean' ? (known ?? rows) : 1 },
        losses,
        loss,
        scratch.length,
        caps,
        byWeight ? divisor : undefined,
      );
  return { launches: [...launches, ...last.launches], scratch: [...scratch, ...last.scratch] };
}

/** Sums the weights of all rows into `divisor`. */
function weightLaunch(
  args: ClassLossArgs,
  inputs: readonly View[],
  divisor: BufferSlice,
  caps: Capabilities,
): Launch {
  const { op, layout, ignoreIndex } = args;
  const rows = layout.outer * layout.inner;
  const { weights } = placesOf(args).inputs;
  const dtype = weights < 0 ? undefined : inputs[weights]?.dtype;
  const bindings: Binding[] = [
    { slot: SLOTS.target, of: 'input', index: 1, access: 'read' },
    { slot: SLOTS.divisorOut, ...divisor, access: 'write' },
    { slot: SLOTS.status, of: 'status', index: 0, access: 'write' },
  ];
  if (dtype) bindings.push({ slot: SLOTS.weights, of: 'input', index: weights, access: 'read' });
  return {
    program: cachedProgram(weightKernel, dtype ?? '', 'class weights', weightKernel, () => ({
      access: weightAccess(dtype),
    })),
    entry: 'total_weight',
    constants: { workgroup_size: workgroupSize(caps.tuning.finishWorkgroup, caps) },
    bindings,
    uniforms: new UniformWriter(4).u32(layout.n, rows, statusCode(op.name)).i32(ignoreIndex).buffer,
    workgroups: [1, 1, 1],
  };
}

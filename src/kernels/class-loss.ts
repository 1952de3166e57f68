// In: scores seen as rows over classes, and a class index or class probabilities for each. Out: the launches, or the CPU
// loop, for losses, their reduction and gradients; nothing between is stored but sums: of chunks of rows, and of losses.
import chunksText from '../../shaders/kernels/class-chunks.wgsl?raw';
import eachText from '../../shaders/kernels/class-each.wgsl?raw';
import gradsText from '../../shaders/kernels/class-each-grads.wgsl?raw';
import finishText from '../../shaders/kernels/class-finish.wgsl?raw';
import indexText from '../../shaders/kernels/class-index.wgsl?raw';
import kernelText from '../../shaders/kernels/class-loss.wgsl?raw';
import probabilitiesText from '../../shaders/kernels/class-probabilities.wgsl?raw';
import weightText from '../../shaders/kernels/class-weight.wgsl?raw';
import {
  anchoredExp,
  bits,
  classLabel,
  exp,
  expm1,
  logSoftmax,
  normaliser,
  normaliserEach,
  rowBlocks,
  rowsByInvocation,
} from '../gpu/lib.ts';
import { cachedProgram, source } from '../gpu/link.ts';
import { statusCode } from '../gpu/status.ts';
import {
  UniformWriter,
  type Binding,
  type Capabilities,
  type Kernel,
  type Launch,
  type Place,
  type Plan,
  type View,
} from '../kernel.ts';
import { paramsStruct, writeParams } from './params.ts';
import { planRatio, planSum } from './reduce.ts';
import { phaseAccess, SLOTS, weightAccess, type Phase } from './class-loss-access.ts';
import { placesOf, type ClassLossArgs } from './class-loss-args.ts';
import { classLossReference } from './class-loss-reference.ts';
import { isPacked } from './row-access.ts';
import {
  isFew,
  ROWS_EACH,
  spreadRows,
  windowBinding,
  windowsOf,
  workgroupsOf,
  writeSpread,
  type RowSpread,
  type RowWindow,
} from './rows.ts';

const kernel = /* @__PURE__ */ source('kernels/class-loss.wgsl', kernelText, [
  bits,
  exp,
  expm1,
  rowBlocks,
  logSoftmax,
]);
const indexEntry = /* @__PURE__ */ source('kernels/class-index.wgsl', indexText, [classLabel]);
const eachKernel = /* @__PURE__ */ source('kernels/class-each.wgsl', eachText, [
  bits,
  exp,
  expm1,
  anchoredExp,
  normaliser,
  normaliserEach,
  indexEntry,
]);
const eachGrads = /* @__PURE__ */ source('kernels/class-each-grads.wgsl', gradsText);
const probabilitiesEntry = /* @__PURE__ */ source(
  'kernels/class-probabilities.wgsl',
  probabilitiesText,
);
const chunksEntry = /* @__PURE__ */ source('kernels/class-chunks.wgsl', chunksText);
const weightKernel = /* @__PURE__ */ source('kernels/class-weight.wgsl', weightText, [
  bits,
  classLabel,
]);
const finishEntry = /* @__PURE__ */ source('kernels/class-finish.wgsl', finishText);

export const classLoss: Kernel<ClassLossArgs> = {
  name: 'classLoss',
  float16: 'native',
  // Losses are few; two rows of gradients may share a word.
  widens: (args, output) => output === placesOf(args).outputs.loss || !isPacked(args.layout),
  plan,
  cpu: classLossReference,
};

/** Rows are split only where one invocation can add up all their weights beside its own work. */
const SPLIT_ROWS = 256;

/** Rows whose weights one invocation of a software adapter adds up sooner than a workgroup with a barrier. */
const ALONE = 8192;

const ENTRIES: Record<Phase, string> = {
  rows: 'rows',
  each: 'rows_each',
  parts: 'part_rows',
  chunks: 'chunk_rows',
  finish: 'finish_parts',
};

/** Where the tensors of a launch are that are not the call's own. */
interface Own {
  readonly losses?: Place;
  readonly rowWeights?: Place;
  readonly divisor?: Place;
  readonly parts?: Place;
}

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
  const loss: Place = { of: 'output', index: places.outputs.loss };
  const divisor: Place | undefined = args.outputs.divisor
    ? { of: 'output', index: places.outputs.divisor }
    : args.inputs.divisor
      ? { of: 'input', index: places.inputs.divisor }
      : undefined;
  const launches: Launch[] = [];
  const scratch: number[] = [];
  const add = (bytes: number): Place => ({ of: 'scratch', index: scratch.push(bytes) - 1 });
  const reduces = reduction !== 'none' && args.outputs.loss;
  const context = { args, inputs, outputs, caps };

  const each =
    op.normalised &&
    args.inputs.target === 'classes' &&
    args.labelSmoothing === 0 &&
    isFew(layout, [...inputs.filter((_, i) => i !== 1), ...outputs], caps);

  // What is not normalised is read at the label only.
  const splits = rows <= SPLIT_ROWS && (op.normalised || grads);
  const windows = rows > 0 ? windowsOf(layout, largeViews(args, inputs, outputs), caps) : [];
  // Rows are dealt out to so many units that one workgroup can add up what each has summed: losses, and for a mean without
  // gradients their weights; on a software adapter a single invocation does, so they are fewer.
  const most = Math.ceil((caps.software ? 128 : 16384) / Math.max(windows.length, 1));
  const spreads = windows.map((window) => spreadRows(window.layout, caps, splits));
  const stored = spreads.map(({ chunks, rows: count }) =>
    reduces && chunks === 1 && !each ? Math.min(count, most) : count,
  );
  const [only] = windows.length === 1 ? spreads : [];
  const chunked = only !== undefined && only.chunks > 1 ? only : undefined;
  if (chunked && op.normalised && reduces && !grads) {
    const parts = add(rows * chunked.chunks * 16);
    const base = { ...context, window: windows[0], spread: chunked };
    launches.push(
      launchOf({ ...base, phase: 'parts', units: rows * chunked.chunks, own: { parts } }),
    );
    launches.push(launchOf({ ...base, phase: 'finish', units: 1, own: { parts, losses: loss } }));
    return { launches, scratch };
  }

  // The divisor is made in passing where there are parts to be made first, and else ahead of all.
  const inPassing = args.outputs.divisor && chunked !== undefined && op.normalised;
  if (args.outputs.divisor && divisor && !inPassing) {
    launches.push(weightLaunch(args, inputs, divisor, caps));
  }
  const total = stored.reduce((a, b) => a + b, 0);
  const losses = reduces ? add(total * 4) : loss;
  const byWeight = reduces && reduction === 'mean' && args.inputs.target === 'classes';
  const weights = byWeight && !args.outputs.divisor ? add(total * 4) : undefined;
  const own: Own = {
    ...(args.outputs.loss ? { losses } : {}),
    ...(weights ? { rowWeights: weights } : {}),
    ...(divisor ? { divisor } : {}),
  };
  let firstLoss = 0;
  windows.forEach((window, k) => {
    const spread = spreads[k];
    const units = stored[k] ?? 0;
    if (!spread) return;
    const base = { ...context, window, spread, firstLoss };
    if (each) {
      launches.push(launchOf({ ...base, phase: 'each', units: spread.rows, own }));
    } else if (spread.chunks === 1) {
      const dealt = Math.min(spread.rows, most);
      launches.push(launchOf({ ...base, phase: 'rows', units: dealt, own, summed: reduces }));
    } else {
      const parts = add(op.normalised ? spread.rows * spread.chunks * 16 : 16);
      const all = spread.rows * spread.chunks;
      if (op.normalised) {
        const made = { parts, ...(inPassing && divisor ? { divisor } : {}) };
        launches.push(launchOf({ ...base, phase: 'parts', units: all, own: made }));
      }
      const needed = grads ? all : spread.rows;
      launches.push(launchOf({ ...base, phase: 'chunks', units: needed, own: { ...own, parts } }));
    }
    firstLoss += units;
  });
  if (!reduces) return { launches, scratch };
  return finish(args, total, losses, weights, divisor, { launches, scratch }, caps);
}

/** The tensors in the shape of the scores: what may be too large for a binding. */
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

/** The launches so far and those that make one loss of `count`. */
function finish(
  { reduction, layout, outputs, inputs }: ClassLossArgs,
  count: number,
  losses: Place,
  weights: Place | undefined,
  divisor: Place | undefined,
  { launches, scratch }: Plan,
  caps: Capabilities,
): Plan {
  const loss: Place = { of: 'output', index: 0 };
  const byWeight = reduction === 'mean' && inputs.target === 'classes' && outputs.divisor;
  const rows = layout.outer * layout.inner;
  const last = weights
    ? planRatio(count, losses, weights, loss, scratch.length, caps)
    : planSum(
        { outer: 1, n: count, inner: 1, divisor: reduction === 'mean' ? rows : 1 },
        losses,
        loss,
        scratch.length,
        caps,
        byWeight ? divisor : undefined,
      );
  return { launches: [...launches, ...last.launches], scratch: [...scratch, ...last.scratch] };
}

interface LaunchContext {
  readonly args: ClassLossArgs;
  readonly phase: Phase;
  readonly inputs: readonly View[];
  readonly outputs: readonly View[];
  readonly window: RowWindow | undefined;
  readonly spread: RowSpread;
  readonly units: number;
  readonly own: Own;
  readonly firstLoss?: number;
  readonly summed?: boolean;
  readonly caps: Capabilities;
}

function launchOf(context: LaunchContext): Launch {
  const { args, phase, inputs, outputs, window, spread, units, own, caps } = context;
  const { firstLoss = 0, summed = false } = context;
  const { op, params, layout, reduction } = args;
  const alone = phase === 'finish';
  const each = phase === 'each';
  const access = phaseAccess(args, phase, inputs, outputs, {
    losses: summed,
    weights: own.rowWeights !== undefined,
    passing: phase === 'parts' && own.divisor !== undefined,
  });
  const rowsSource = alone ? rowsByInvocation : spread.source;
  const classes = args.inputs.target === 'classes';
  const program = cachedProgram(
    op,
    `${alone || each ? '' : spread.unit};${access.key}`,
    op.name,
    each ? eachKernel : kernel,
    () => {
      const slots = {
        access: access.source(),
        op: { ...op.source, text: paramsStruct(op.params) + op.source.text },
      };
      if (each) return args.outputs.gradScores ? { ...slots, grads: eachGrads } : slots;
      return {
        ...slots,
        rows: rowsSource,
        target: classes ? indexEntry : probabilitiesEntry,
        more: alone ? finishEntry : phase === 'rows' ? '' : chunksEntry,
      };
    },
  );
  const known = reduction === 'mean' && !(args.inputs.divisor || args.outputs.divisor);
  const rows = layout.outer * layout.inner;
  const by = reduction !== 'mean' ? 1 : classes ? 0 : rows;
  const uniforms = writeSpread(new UniformWriter(16 + op.params.names.length), layout, spread)
    .u32(units, statusCode(op.name))
    .i32(args.ignoreIndex)
    .f32(args.labelSmoothing, known ? 1 / rows : 1, by)
    .u32((window?.first ?? 0) * layout.inner, firstLoss, 0, 0);
  writeParams(uniforms, op.params, params);
  return {
    program,
    entry: alone && caps.software ? 'finish_parts_alone' : ENTRIES[phase],
    constants: each
      ? {}
      : {
          ...spread.constants,
          ...(alone ? { workgroup_size: 256 } : {}),
          normalised: Number(op.normalised),
        },
    bindings: bindingsOf(context),
    uniforms: uniforms.buffer,
    workgroups: alone
      ? [1, 1, 1]
      : each
        ? [Math.max(1, Math.ceil(units / ROWS_EACH)), 1, 1]
        : workgroupsOf(spread, units, caps),
  };
}

/** The sum of all rows' weights, into `divisor`. */
function weightLaunch(
  args: ClassLossArgs,
  inputs: readonly View[],
  divisor: Place,
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
  const alone = caps.software && rows <= ALONE;
  return {
    program: cachedProgram(weightKernel, dtype ?? '', 'class weights', weightKernel, () => ({
      access: weightAccess(dtype),
    })),
    entry: alone ? 'total_weight_alone' : 'total_weight',
    constants: alone ? {} : { workgroup_size: caps.software ? 64 : 256 },
    bindings,
    uniforms: new UniformWriter(4).u32(layout.n, rows, statusCode(op.name)).i32(ignoreIndex).buffer,
    workgroups: [1, 1, 1],
  };
}

function bindingsOf({ args, phase, inputs, outputs, window, own }: LaunchContext): Binding[] {
  const places = placesOf(args);
  const writes = phase === 'rows' || phase === 'each' || phase === 'chunks';
  const bindings: Binding[] = [];
  const bind = (slot: number, place: Place | undefined, access: 'read' | 'write'): void => {
    if (place && place.index >= 0) bindings.push({ slot, ...place, access });
  };
  // A window of a tensor in the shape of the scores.
  const bindLarge = (slot: number, place: Place, access: 'read' | 'write'): void => {
    if (place.index < 0) return;
    const view = (place.of === 'input' ? inputs : outputs)[place.index];
    const binding: Binding = { slot, ...place, access };
    bindings.push(window ? windowBinding(binding, window, view) : binding);
  };
  const input = (index: number): Place => ({ of: 'input', index });
  const output = (index: number): Place => ({ of: 'output', index });
  bindLarge(SLOTS.scores, input(0), 'read');
  if (args.inputs.target === 'classes') bind(SLOTS.target, input(1), 'read');
  else bindLarge(SLOTS.target, input(1), 'read');
  bind(SLOTS.weights, input(places.inputs.weights), 'read');
  bind(SLOTS.losses, own.losses, 'write');
  bind(SLOTS.rowWeights, own.rowWeights, 'write');
  if (writes) {
    bindLarge(SLOTS.gradScores, output(places.outputs.gradScores), 'write');
    bindLarge(SLOTS.gradProbabilities, output(places.outputs.gradProbabilities), 'write');
    bind(SLOTS.gradOutput, input(places.inputs.gradOutput), 'read');
    bind(SLOTS.divisor, own.divisor, 'read');
  } else {
    bind(SLOTS.divisorOut, own.divisor, 'write');
  }
  bind(SLOTS.parts, own.parts, 'write');
  if (args.inputs.target === 'classes') {
    bind(SLOTS.status, { of: 'status', index: 0 }, 'write');
  }
  return bindings;
}

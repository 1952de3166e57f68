// Plans losses of rows of scores. The target of a row is a class index, a list of labels, or a row of numbers. The
// CPU loop is here as well.
import kernelText from '../../../shaders/kernels/margin-loss/margin-loss.wgsl?raw';
import { atOr } from '../../cpu/rows.ts';
import marksText from '../../../shaders/kernels/margin-loss/marks.wgsl?raw';
import rowsText from '../../../shaders/kernels/margin-loss/rows.wgsl?raw';
import type { NumericArray } from '../../core/dtype.ts';
import { bits, classStatus, rowLanes, rowsByInvocation } from '../../shader/lib.ts';
import { cachedProgram, source, type Source } from '../../shader/link.ts';
import { statusCode } from '../../gpu/status.ts';
import {
  foldWorkgroups,
  UniformWriter,
  type Binding,
  type Capabilities,
  type Kernel,
  type Launch,
  type Plan,
  type BufferSlice,
  type View,
} from '../../core/kernel.ts';
import {
  paramsStruct,
  wordsOf,
  writeParams,
  type ParamLayout,
  type ParamValues,
} from '../../shader/params.ts';
import { addSums, planSum } from '../reduce/sums.ts';
import { forEachRow, tileRows, workgroupsOf } from '../rows/tiling.ts';
import { gather } from '../../cpu/rows.ts';
import { fits, inputsOf, outputsOf } from '../windows/regions.ts';

const kernel = /* @__PURE__ */ source('kernels/margin-loss/margin-loss.wgsl', kernelText, [
  bits,
  rowLanes,
]);
const marksEntry = /* @__PURE__ */ source('kernels/margin-loss/marks.wgsl', marksText, [
  classStatus,
]);
const rowsEntry = /* @__PURE__ */ source('kernels/margin-loss/rows.wgsl', rowsText);

/** A row in float64. */
export interface MarginRow {
  readonly scores: Float64Array;
  /** The class index alone, the list of labels, or a number per class. */
  readonly target: Float64Array;
  /** The weight of a class; 1 where the call has no weights. */
  readonly weightOf: (index: number) => number;
}

/** A loss of a row of scores. */
export interface MarginLossOp {
  readonly name: string;
  readonly source: Source;
  readonly params: ParamLayout;
  /** The kind of target. Only a target of numbers may have a gradient. */
  readonly target: 'class' | 'labels' | 'numbers';
  /** The loss, before it is divided by the number of classes. A class index that is out of range gives NaN. */
  readonly loss: (row: MarginRow, p: ParamValues) => number;
  /** Writes the derivatives of that loss into arrays of zeros. */
  readonly grad: (
    row: MarginRow,
    p: ParamValues,
    scores: Float64Array,
    target: Float64Array,
  ) => void;
}

/** Which tensors a call binds. The tensors are in the order of these lists. */
export interface MarginLossArgs {
  readonly op: MarginLossOp;
  readonly params: ParamValues;
  readonly rows: number;
  /** Number of rows of the whole call, if this is only a part of them. */
  readonly all?: number;
  /** Classes. */
  readonly n: number;
  readonly reduction: 'none' | 'mean' | 'sum';
  /** Inputs: scores, targets, then weights and gradOutput (of the loss) where there are any. */
  readonly inputs: { readonly weights: boolean; readonly gradOutput: boolean };
  readonly outputs: {
    readonly loss: boolean;
    readonly gradScores: boolean;
    readonly gradTarget: boolean;
  };
}

export const marginLoss: Kernel<MarginLossArgs> = {
  name: 'marginLoss',
  float16: 'convert',
  plan,
  cpu,
};

/** The index of each tensor among the inputs or outputs of a call; -1 if the call does not have it. */
function placesOf({ inputs, outputs }: MarginLossArgs) {
  const at = (there: boolean, before: readonly boolean[]): number =>
    there ? before.filter((other) => other).length : -1;
  const { weights, gradOutput } = inputs;
  const { loss, gradScores, gradTarget } = outputs;
  return {
    weights: at(weights, [true, true]),
    gradOutput: at(gradOutput, [true, true, weights]),
    loss: at(loss, []),
    gradScores: at(gradScores, [loss]),
    gradTarget: at(gradTarget, [loss, gradScores]),
  };
}

/** The kernel's `access` slot: bindings and accessors for the tensors of this call. */
function accessSlot({ op, inputs, outputs, reduction }: MarginLossArgs, marking: boolean): string {
  const bind = (slot: number, access: string, name: string, type = 'f32'): string =>
    `@group(0) @binding(${slot}) var<storage, ${access}> ${name}: array<${type}>;\n`;
  const targets = bind(2, 'read', 'targets', op.target === 'numbers' ? 'f32' : 'i32');
  if (marking) return targets + bind(7, 'read_write', 'marks', 'u32');
  const store = (name: string, parameters: string, body: string): string =>
    `fn ${name}(${parameters}) { ${body} }\n`;
  const upstream = inputs.gradOutput
    ? `grad_output[${reduction === 'none' ? 'row' : '0'}] * u.scale`
    : 'u.scale';
  return [
    `const with_grad = ${outputs.gradScores || outputs.gradTarget};\n`,
    targets,
    inputs.weights ? bind(3, 'read', 'weights') : '',
    outputs.loss ? bind(4, 'read_write', 'losses') : '',
    outputs.gradScores ? bind(5, 'read_write', 'grad_scores') : '',
    outputs.gradTarget ? bind(6, 'read_write', 'grad_target') : '',
    op.target === 'labels' ? bind(7, 'read', 'marks', 'u32') : '',
    inputs.gradOutput ? bind(8, 'read', 'grad_output') : '',
    `fn class_weight(i: u32) -> f32 { return ${inputs.weights ? 'weights[i]' : '1.0'}; }\n`,
    `fn upstream_of(row: u32) -> f32 { return ${upstream}; }\n`,
    store('store_loss', 'row: u32, v: f32', outputs.loss ? 'losses[row] = v;' : ''),
    store('store_grad', 'i: u32, v: f32', outputs.gradScores ? 'grad_scores[i] = v;' : ''),
    store('store_grad_target', 'i: u32, v: f32', outputs.gradTarget ? 'grad_target[i] = v;' : ''),
  ].join('');
}

function uniformsOf({ op, params, n, rows, all = rows, reduction }: MarginLossArgs): ArrayBuffer {
  const writer = new UniformWriter(4 + wordsOf(op.params));
  const scale = 1 / (Math.max(n, 1) * (reduction === 'mean' ? Math.max(all, 1) : 1));
  writer.u32(n, rows, statusCode(op.name)).f32(scale);
  writeParams(writer, op.params, params);
  return writer.buffer;
}

function plan(
  args: MarginLossArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const { rows, reduction } = args;
  const places = placesOf(args);
  const output: BufferSlice = { of: 'output', index: places.loss };
  const reduces = reduction !== 'none' && args.outputs.loss;
  const layout = { outer: 1, n: rows, inner: 1, divisor: reduction === 'mean' ? rows : 1 };
  if (fits([...inputs, ...outputs], caps)) {
    const scratch = reduces ? [rows * 4] : [];
    const losses: BufferSlice = reduces ? { of: 'scratch', index: 0 } : output;
    const plan = planRows(args, losses, scratch, caps);
    if (!reduces) return plan;
    const finish = planSum(layout, losses, output, plan.scratch.length, caps);
    return {
      launches: [...plan.launches, ...finish.launches],
      scratch: [...plan.scratch, ...finish.scratch],
    };
  }
  const windows = caps.windows(caps);
  const kept = reduces ? windows.keep(rows) : undefined;
  const [ins, outs] = [inputsOf(inputs), outputsOf(outputs)];
  const { n, op } = args;
  const planned = windows.rows(
    { outer: rows, inner: 1 },
    ins.map((region, i) => {
      const perRow = i === places.gradOutput ? (reduction === 'none' ? 1 : null) : n;
      const each = i === places.weights ? null : i === 1 && op.target === 'class' ? 1 : perRow;
      return { ...region, each };
    }),
    outs.map((region, k) => ({
      ...(k === places.loss ? (kept ?? region) : region),
      each: k === places.loss ? 1 : n,
    })),
    (part) => planRows({ ...args, rows: part.outer, all: rows }, output, [], caps),
  );
  // A row longer than a binding cannot be planned, because each score is compared with others anywhere in the row.
  if (!planned) return planRows(args, output, [], caps);
  const loss = outs[places.loss];
  if (kept && loss) addSums(windows, layout, kept, loss);
  return windows;
}

/** Losses and gradients of rows. `before` lists the scratch buffers that exist already. */
function planRows(
  args: MarginLossArgs,
  losses: BufferSlice,
  before: readonly number[],
  caps: Capabilities,
): Plan {
  const { op, rows, n } = args;
  if (rows === 0) return { launches: [], scratch: before };
  if (op.target !== 'labels') {
    return { launches: [rowsLaunch(args, losses, undefined, caps)], scratch: before };
  }
  const words = rows * Math.ceil(n / 32);
  const marks: BufferSlice = { of: 'scratch', index: before.length };
  return {
    launches: [markLaunch(args, marks, words, caps), rowsLaunch(args, losses, marks, caps)],
    scratch: [...before, words * 4],
  };
}

/** The launch that sets a bit for each class that is a label, for ops whose targets are lists of labels. */
function markLaunch(
  args: MarginLossArgs,
  marks: BufferSlice,
  words: number,
  caps: Capabilities,
): Launch {
  const { op } = args;
  return {
    program: cachedProgram(op, 'mark', `${op.name} labels`, kernel, () => ({
      rows: rowsByInvocation,
      access: accessSlot(args, true),
      op: paramsStruct(op.params),
      entry: marksEntry,
    })),
    entry: 'mark',
    constants: { workgroup_size: 64 },
    bindings: [
      { slot: 2, of: 'input', index: 1, access: 'read' },
      { slot: 7, ...marks, access: 'write' },
      { slot: 11, of: 'status', index: 0, access: 'write' },
    ],
    uniforms: uniformsOf(args),
    workgroups: foldWorkgroups(Math.ceil(words / 64), caps),
  };
}

function rowsLaunch(
  args: MarginLossArgs,
  losses: BufferSlice,
  marks: BufferSlice | undefined,
  caps: Capabilities,
): Launch {
  const { op } = args;
  const lists = op.target === 'labels';
  const tiling = tileRows({ outer: args.rows, n: args.n, inner: 1 }, caps, lists);
  const access = accessSlot(args, false);
  const places = placesOf(args);
  const bindings: Binding[] = [];
  const bind = (slot: number, place: BufferSlice | undefined, mode: 'read' | 'write'): void => {
    if (place && place.index >= 0) bindings.push({ slot, ...place, access: mode });
  };
  bind(1, { of: 'input', index: 0 }, 'read');
  bind(2, { of: 'input', index: 1 }, 'read');
  bind(3, { of: 'input', index: places.weights }, 'read');
  if (args.outputs.loss) bind(4, losses, 'write');
  bind(5, { of: 'output', index: places.gradScores }, 'write');
  bind(6, { of: 'output', index: places.gradTarget }, 'write');
  bind(7, marks, 'read');
  bind(8, { of: 'input', index: places.gradOutput }, 'read');
  if (op.target === 'class') bind(11, { of: 'status', index: 0 }, 'write');
  return {
    program: cachedProgram(op, `${tiling.unit};${access}`, op.name, kernel, () => ({
      rows: tiling.source,
      access,
      op: { ...op.source, text: paramsStruct(op.params) + op.source.text },
      entry: rowsEntry,
    })),
    entry: 'rows',
    constants: {
      ...tiling.constants,
      ...(lists ? { together: Number(caps.tuning.rowsByWorkgroup) } : {}),
    },
    bindings,
    uniforms: uniformsOf(args),
    workgroups: workgroupsOf(tiling, tiling.rows, caps),
  };
}

function cpu(
  args: MarginLossArgs,
  inputs: readonly NumericArray[],
  outputs: readonly NumericArray[],
): void {
  const { op, params, rows, n, reduction } = args;
  const places = placesOf(args);
  const [scores, target] = inputs;
  if (!scores || !target) return;
  const weights = inputs[places.weights];
  const gradOutput = inputs[places.gradOutput];
  const [losses, gradScores, gradTarget] = [
    outputs[places.loss],
    outputs[places.gradScores],
    outputs[places.gradTarget],
  ];
  const perRow = op.target === 'class' ? 1 : n;
  const row = {
    scores: new Float64Array(n),
    target: new Float64Array(perRow),
    weightOf: (index: number): number => atOr(weights, index, 1),
  };
  const grads = [new Float64Array(n), new Float64Array(n)] as const;
  const divisor = reduction === 'mean' ? rows : 1;
  let total = 0;
  forEachRow({ outer: rows, n, inner: 1 }, (base, r) => {
    gather(scores, base, 1, row.scores);
    gather(target, r * perRow, 1, row.target);
    const loss = op.loss(row, params) / n;
    total += loss;
    if (losses && reduction === 'none') losses[r] = loss;
    if (!gradScores && !gradTarget) return;
    const upstream = atOr(gradOutput, reduction === 'none' ? r : 0, 1);
    for (const grad of grads) grad.fill(0);
    op.grad(row, params, ...grads);
    for (const [i, to] of [gradScores, gradTarget].entries()) {
      grads[i]?.forEach((grad, k) => {
        if (to) to[base + k] = (grad * upstream) / (n * divisor);
      });
    }
  });
  if (losses && reduction !== 'none') losses[0] = total / divisor;
}

// In: scores seen as rows over classes, and a class index or class probabilities for each. Out: the launches, or the CPU
// loop, for losses, their reduction and gradients; nothing between is stored but one loss per row.
import indexText from '../../shaders/kernels/class-index.wgsl?raw';
import kernelText from '../../shaders/kernels/class-loss.wgsl?raw';
import probabilitiesText from '../../shaders/kernels/class-probabilities.wgsl?raw';
import type { NumericArray } from '../dtype.ts';
import { bits, exp, log, logSoftmax } from '../gpu/lib.ts';
import { cachedProgram, source, type Source } from '../gpu/link.ts';
import { statusCode } from '../gpu/status.ts';
import {
  UniformWriter,
  type Binding,
  type Capabilities,
  type Kernel,
  type Launch,
  type Plan,
  type View,
} from '../kernel.ts';
import type { RowLayout } from '../shape.ts';
import { paramsStruct, writeParams, type ParamLayout, type ParamValues } from './params.ts';
import { planRatio, planSum, type Place } from './reduce.ts';
import { forEachRow, rowLaunch } from './rows.ts';
import { gather } from './rowwise.ts';

const kernel = /* @__PURE__ */ source('kernels/class-loss.wgsl', kernelText, [
  bits,
  exp,
  log,
  logSoftmax,
]);
const indexEntry = /* @__PURE__ */ source('kernels/class-index.wgsl', indexText, [bits, exp]);
const probabilitiesEntry = /* @__PURE__ */ source(
  'kernels/class-probabilities.wgsl',
  probabilitiesText,
  [exp],
);

/** A loss of the log-probability l of a class, and its derivative. */
export interface ClassLossOp {
  readonly name: string;
  readonly source: Source;
  readonly params: ParamLayout;
  /** Whether the scores are logits, of which the log-softmax is taken. */
  readonly normalised: boolean;
  readonly loss: (l: number, p: ParamValues) => number;
  readonly grad: (l: number, p: ParamValues) => number;
}

/** What a call binds; the order of tensors is that of this list. */
export interface ClassLossArgs {
  readonly op: ClassLossOp;
  readonly params: ParamValues;
  readonly layout: RowLayout;
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;
  readonly reduction: 'none' | 'mean' | 'sum';
  /** Inputs: scores, classes or probabilities, then weights, gradOutput (of the loss) and divisor where there are any. */
  readonly inputs: {
    readonly target: 'classes' | 'probabilities';
    readonly weights: boolean;
    readonly gradOutput: boolean;
    readonly divisor: boolean;
  };
  /** Outputs, in this order: the loss, gradients, and the divisor of a mean whose weights only the targets tell. */
  readonly outputs: {
    readonly loss: boolean;
    readonly gradScores: boolean;
    readonly gradProbabilities: boolean;
    readonly divisor: boolean;
  };
}

/** Index of each tensor among the inputs or outputs, -1 where it is not there. */
function indexed<T extends Readonly<Record<string, boolean>>>(
  present: T,
  from: number,
): { [K in keyof T]: number } {
  let k = from;
  const result: Record<string, number> = {};
  for (const [name, there] of Object.entries(present)) result[name] = there ? k++ : -1;
  return result as { [K in keyof T]: number };
}

function placesOf({ inputs, outputs }: ClassLossArgs) {
  const { weights, gradOutput, divisor } = inputs;
  return { inputs: indexed({ weights, gradOutput, divisor }, 2), outputs: indexed(outputs, 0) };
}

export const classLoss: Kernel<ClassLossArgs> = {
  name: 'classLoss',
  float16: 'convert',
  plan,
  cpu,
};

/** Where the upstream gradient of a row comes from, in WGSL. */
function upstreamOf({ inputs, outputs, reduction }: ClassLossArgs): string {
  const above = inputs.gradOutput
    ? `grad_output[${reduction === 'none' ? 'row' : '0'}] * u.scale`
    : 'u.scale';
  return inputs.divisor || outputs.divisor ? `${above} / divisor[0]` : above;
}

/** The kernel's `access` slot: bindings and accessors of what this call has. `divisor` is read by rows, written before. */
function accessSlot(args: ClassLossArgs, phase: 'rows' | 'divisor', rowWeights: boolean): string {
  const { inputs, outputs } = args;
  const bind = (slot: number, access: string, name: string, type = 'f32'): string =>
    `@group(0) @binding(${String(slot)}) var<storage, ${access}> ${name}: array<${type}>;\n`;
  const rows = phase === 'rows';
  const grads = outputs.gradScores || outputs.gradProbabilities;
  const store = (name: string, parameters: string, body: string): string =>
    `fn ${name}(${parameters}) { ${body} }\n`;
  return [
    `const with_grad = ${String(rows && grads)};\n`,
    inputs.target === 'classes'
      ? bind(2, 'read', 'classes', 'i32')
      : bind(2, 'read', 'probabilities'),
    inputs.weights ? bind(3, 'read', 'weights') : '',
    rows && outputs.loss ? bind(4, 'read_write', 'losses') : '',
    rowWeights ? bind(5, 'read_write', 'row_weights') : '',
    rows && outputs.gradScores ? bind(6, 'read_write', 'grad_scores') : '',
    rows && outputs.gradProbabilities ? bind(7, 'read_write', 'grad_probabilities') : '',
    rows && inputs.gradOutput ? bind(8, 'read', 'grad_output') : '',
    rows && grads && (inputs.divisor || outputs.divisor) ? bind(9, 'read', 'divisor') : '',
    `fn class_weight(i: u32) -> f32 { return ${inputs.weights ? 'weights[i]' : '1.0'}; }\n`,
    `fn upstream_of(row: u32) -> f32 { return ${rows && grads ? upstreamOf(args) : '1.0'}; }\n`,
    store('store_loss', 'row: u32, v: f32', rows && outputs.loss ? 'losses[row] = v;' : ''),
    store('store_row_weight', 'row: u32, v: f32', rowWeights ? 'row_weights[row] = v;' : ''),
    store('store_grad', 'i: u32, v: f32', rows && outputs.gradScores ? 'grad_scores[i] = v;' : ''),
    store(
      'store_grad_probability',
      'i: u32, v: f32',
      rows && outputs.gradProbabilities ? 'grad_probabilities[i] = v;' : '',
    ),
  ].join('');
}

function plan(
  args: ClassLossArgs,
  _inputs: readonly View[],
  _outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const { layout, reduction } = args;
  const rows = layout.outer * layout.inner;
  const places = placesOf(args);
  const loss: Place = { of: 'output', index: places.outputs.loss };
  const scratch: number[] = [];
  const launches: Launch[] = [];
  const reduces = reduction !== 'none' && args.outputs.loss;
  // Rows write their losses to scratch, to be added up; without a gradient, the mean's weights too, in the same pass.
  const lossRows: Place = reduces ? { of: 'scratch', index: scratch.push(rows * 4) - 1 } : loss;
  const indexMean = reduces && reduction === 'mean' && args.inputs.target === 'classes';
  const weightRows: Place | null =
    indexMean && !args.outputs.divisor
      ? { of: 'scratch', index: scratch.push(rows * 4) - 1 }
      : null;
  const divisor: Place | null = args.outputs.divisor
    ? { of: 'output', index: places.outputs.divisor }
    : args.inputs.divisor
      ? { of: 'input', index: places.inputs.divisor }
      : null;

  if (args.outputs.divisor && divisor)
    launches.push(launch(args, 'divisor', { row_weights: divisor }, caps));
  if (rows > 0) {
    const grads = args.outputs.gradScores || args.outputs.gradProbabilities;
    launches.push(
      launch(
        args,
        'rows',
        {
          ...(args.outputs.loss ? { losses: lossRows } : {}),
          ...(weightRows ? { row_weights: weightRows } : {}),
          ...(grads && divisor ? { divisor } : {}),
        },
        caps,
      ),
    );
  }
  if (!reduces) return { launches, scratch };
  const finish = weightRows
    ? planRatio(rows, lossRows, weightRows, loss, scratch.length, caps)
    : planSum(
        { outer: 1, n: rows, inner: 1, divisor: reduction === 'mean' ? rows : 1 },
        lossRows,
        loss,
        scratch.length,
        caps,
        indexMean && divisor ? divisor : undefined,
      );
  return { launches: [...launches, ...finish.launches], scratch: [...scratch, ...finish.scratch] };
}

function launch(
  args: ClassLossArgs,
  phase: 'rows' | 'divisor',
  own: Readonly<Partial<Record<'losses' | 'row_weights' | 'divisor', Place>>>,
  caps: Capabilities,
): Launch {
  const { op, params, layout, inputs, outputs, labelSmoothing } = args;
  const { outer, n, inner } = layout;
  const rowsPhase = phase === 'rows';
  const spread = rowLaunch(layout, caps);
  const variant = rowsPhase
    ? spread
    : { ...spread, constants: { workgroup_size: 64 }, workgroups: [1, 1, 1] as const };
  const access = accessSlot(args, phase, own.row_weights !== undefined);
  const linked = cachedProgram(
    op,
    `${phase};${variant.variant};${access}`,
    op.name,
    kernel,
    () => ({
      rows: variant.rows,
      access,
      op: { ...op.source, text: paramsStruct(op.params) + op.source.text },
      entry: inputs.target === 'classes' ? indexEntry : probabilitiesEntry,
    }),
  );
  const places = placesOf(args);
  const bindings: Binding[] = [];
  const bind = (slot: number, place: Place | undefined, accessMode: 'read' | 'write'): void => {
    if (place && place.index >= 0) bindings.push({ slot, ...place, access: accessMode });
  };
  if (rowsPhase) bind(1, { of: 'input', index: 0 }, 'read');
  bind(2, { of: 'input', index: 1 }, 'read');
  bind(3, { of: 'input', index: places.inputs.weights }, 'read');
  bind(4, own.losses, 'write');
  bind(5, own.row_weights, 'write');
  if (rowsPhase) {
    bind(6, { of: 'output', index: places.outputs.gradScores }, 'write');
    bind(7, { of: 'output', index: places.outputs.gradProbabilities }, 'write');
    bind(8, { of: 'input', index: places.inputs.gradOutput }, 'read');
    bind(9, own.divisor, 'read');
  }
  if (inputs.target === 'classes') bind(11, { of: 'status', index: 0 }, 'write');
  const rows = outer * inner;
  const knownAhead =
    args.reduction === 'mean' && !(inputs.divisor || outputs.divisor) ? 1 / rows : 1;
  const uniforms = new UniformWriter(8 + op.params.names.length)
    .u32(n, inner, rows, statusCode(op.name))
    .i32(args.ignoreIndex)
    .f32(labelSmoothing, knownAhead)
    .u32(0);
  writeParams(uniforms, op.params, params);
  return {
    program: linked,
    entry: rowsPhase ? 'rows' : 'total_weight',
    constants: {
      ...variant.constants,
      ...(rowsPhase ? { normalised: Number(op.normalised) } : {}),
      ...(rowsPhase && inputs.target === 'classes' ? { smoothed: Number(labelSmoothing > 0) } : {}),
    },
    bindings,
    uniforms: uniforms.buffer,
    workgroups: variant.workgroups,
  };
}

function cpu(
  args: ClassLossArgs,
  inputs: readonly NumericArray[],
  outputs: readonly NumericArray[],
): void {
  const { op, params, layout, ignoreIndex, labelSmoothing, reduction } = args;
  const { n, inner } = layout;
  const rows = layout.outer * inner;
  const places = placesOf(args);
  const [scores, target] = inputs;
  if (!scores || !target) return;
  const pick = (list: readonly NumericArray[], k: number): NumericArray | undefined =>
    k < 0 ? undefined : list[k];
  const weights = pick(inputs, places.inputs.weights);
  const gradOutput = pick(inputs, places.inputs.gradOutput);
  const weightOf = (c: number): number => (weights ? (weights[c] ?? NaN) : 1);
  const classes = args.inputs.target === 'classes';
  const classOf = (row: number): number => target[row] ?? NaN;

  let divisor = reduction === 'mean' ? rows : 1;
  if (reduction === 'mean' && classes) {
    divisor = 0;
    for (let row = 0; row < rows; row++)
      if (classOf(row) !== ignoreIndex) divisor += weightOf(classOf(row));
  }
  const kept = pick(outputs, places.outputs.divisor);
  if (kept) kept[0] = divisor;

  const losses = pick(outputs, places.outputs.loss);
  const gradScores = pick(outputs, places.outputs.gradScores);
  const gradProbabilities = pick(outputs, places.outputs.gradProbabilities);
  const l = new Float64Array(n);
  const t = new Float64Array(n); // what multiplies the loss of each class
  let total = 0;
  forEachRow(layout, (base, row) => {
    gather(scores, base, inner, l);
    if (op.normalised) toLogSoftmax(l);
    const ignored = classes && classOf(row) === ignoreIndex;
    for (let c = 0; c < n; c++) {
      const hard = classes ? Number(c === classOf(row)) : (target[base + c * inner] ?? NaN);
      t[c] = weightOf(c) * ((1 - labelSmoothing) * hard + labelSmoothing / n);
    }
    let loss = 0;
    let slope = 0;
    // A class that is not the target adds nothing, even where its loss is infinite; a probability of 0 does not help.
    const counts = (c: number): boolean => !classes || labelSmoothing > 0 || c === classOf(row);
    if (!ignored) {
      for (let c = 0; c < n; c++) {
        if (!counts(c)) continue;
        loss += (t[c] ?? NaN) * op.loss(l[c] ?? NaN, params);
        slope += (t[c] ?? NaN) * op.grad(l[c] ?? NaN, params);
      }
    }
    total += loss;
    if (losses && reduction === 'none') losses[row] = loss;
    const upstream =
      (gradOutput ? (gradOutput[reduction === 'none' ? row : 0] ?? NaN) : 1) / divisor;
    for (let c = 0; c < n; c++) {
      const lc = l[c] ?? NaN;
      const at = base + c * inner;
      if (gradScores) {
        // An infinite or NaN upstream gradient reaches only what depends on the scores.
        const own = counts(c) && !ignored ? upstream * ((t[c] ?? NaN) * op.grad(lc, params)) : 0;
        const spread = op.normalised ? Math.exp(lc) * (ignored ? 0 : upstream * slope) : 0;
        gradScores[at] = own - spread;
      }
      if (gradProbabilities) {
        gradProbabilities[at] =
          upstream * ((1 - labelSmoothing) * weightOf(c) * op.loss(lc, params));
      }
    }
  });
  if (losses && reduction !== 'none') losses[0] = total / divisor;
}

function toLogSoftmax(x: Float64Array): void {
  const peak = x.reduce((a, b) => Math.max(a, b), -Infinity);
  const logSum = Math.log(x.reduce((sum, v) => sum + Math.exp(v - peak), 0));
  for (const [i, v] of x.entries()) x[i] = v - peak - logSum;
}

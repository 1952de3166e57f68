// In: scores seen as rows over classes, and a class index or class probabilities for each. Out: the launches, or the CPU
// loop, for losses, their reduction and gradients; nothing between is stored but one loss per row.
import indexText from '../../shaders/kernels/class-index.wgsl?raw';
import kernelText from '../../shaders/kernels/class-loss.wgsl?raw';
import probabilitiesText from '../../shaders/kernels/class-probabilities.wgsl?raw';
import { bits, exp, log, logSoftmax } from '../gpu/lib.ts';
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
import { placesOf, type ClassLossArgs } from './class-loss-args.ts';
import { classLossReference } from './class-loss-reference.ts';
import { rowLaunch } from './rows.ts';

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

export const classLoss: Kernel<ClassLossArgs> = {
  name: 'classLoss',
  float16: 'convert',
  plan,
  cpu: classLossReference,
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

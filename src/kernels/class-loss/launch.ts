// Makes one launch of a class loss: one phase over a window of rows.
import chunksText from '../../../shaders/kernels/class-loss/chunks.wgsl?raw';
import finishText from '../../../shaders/kernels/class-loss/finish.wgsl?raw';
import indexText from '../../../shaders/kernels/class-loss/index.wgsl?raw';
import kernelText from '../../../shaders/kernels/class-loss/class-loss.wgsl?raw';
import gradientsText from '../../../shaders/kernels/class-loss/gradients.wgsl?raw';
import rowSumsText from '../../../shaders/kernels/class-loss/row-sums.wgsl?raw';
import probabilitiesText from '../../../shaders/kernels/class-loss/probabilities.wgsl?raw';
import {
  bits,
  classLabel,
  exp,
  expm1,
  logSoftmax,
  rowBlocks,
  rowsByInvocation,
} from '../../shader/lib.ts';
import { cachedProgram, source } from '../../shader/link.ts';
import { statusCode } from '../../gpu/status.ts';
import {
  UniformWriter,
  workgroupSize,
  type Binding,
  type Capabilities,
  type Launch,
  type BufferSlice,
  type View,
} from '../../core/kernel.ts';
import { phaseAccess, SLOTS, type Phase } from './bindings.ts';
import { placesOf, type ClassLossArgs } from './args.ts';
import { paramsStruct, wordsOf, writeParams } from '../../shader/params.ts';
import {
  windowBinding,
  workgroupsOf,
  writeTiling,
  type ChunkTiling,
  type RowWindow,
} from '../rows/tiling.ts';

const kernel = /* @__PURE__ */ source('kernels/class-loss/class-loss.wgsl', kernelText, [
  bits,
  exp,
  expm1,
  rowBlocks,
  logSoftmax,
  /* @__PURE__ */ source('kernels/class-loss/row-sums.wgsl', rowSumsText),
  /* @__PURE__ */ source('kernels/class-loss/gradients.wgsl', gradientsText),
]);
const indexEntry = /* @__PURE__ */ source('kernels/class-loss/index.wgsl', indexText, [classLabel]);
const probabilitiesEntry = /* @__PURE__ */ source(
  'kernels/class-loss/probabilities.wgsl',
  probabilitiesText,
);
const chunksEntry = /* @__PURE__ */ source('kernels/class-loss/chunks.wgsl', chunksText);
const finishEntry = /* @__PURE__ */ source('kernels/class-loss/finish.wgsl', finishText);

const ENTRIES: Record<Phase, string> = {
  rows: 'rows',
  parts: 'part_rows',
  chunks: 'chunk_rows',
  finish: 'finish_parts',
};

/** The buffers of a launch that are not inputs or outputs of the call. */
export interface Own {
  readonly losses?: BufferSlice;
  readonly rowWeights?: BufferSlice;
  readonly divisor?: BufferSlice;
  readonly parts?: BufferSlice;
}

export interface LaunchContext {
  readonly args: ClassLossArgs;
  readonly phase: Phase;
  readonly inputs: readonly View[];
  readonly outputs: readonly View[];
  readonly window: RowWindow | undefined;
  readonly tiling: ChunkTiling;
  readonly units: number;
  readonly own: Own;
  readonly firstLoss?: number;
  readonly summed?: boolean;
  readonly caps: Capabilities;
}

export function launchOf(context: LaunchContext): Launch {
  const { args, phase, inputs, outputs, window, tiling, units, own, caps } = context;
  const { firstLoss = 0, summed = false } = context;
  const { op, params, layout, reduction } = args;
  const single = phase === 'finish';
  const access = phaseAccess(args, phase, inputs, outputs, {
    losses: summed,
    weights: own.rowWeights !== undefined,
    passing: phase === 'parts' && own.divisor !== undefined,
  });
  const rowsSource = single ? rowsByInvocation : tiling.source;
  const classes = args.inputs.target === 'classes';
  const program = cachedProgram(
    op,
    `${single ? '' : tiling.unit};${access.key}`,
    op.name,
    kernel,
    () => {
      return {
        access: access.source(),
        op: { ...op.source, text: paramsStruct(op.params) + op.source.text },
        rows: rowsSource,
        target: classes ? indexEntry : probabilitiesEntry,
        more: single ? finishEntry : phase === 'rows' ? '' : chunksEntry,
      };
    },
  );
  const known = reduction === 'mean' && !(args.inputs.divisor || args.outputs.divisor);
  const rows = layout.outer * layout.inner;
  const by = reduction !== 'mean' ? 1 : (args.count ?? (classes ? 0 : rows));
  const uniforms = writeTiling(new UniformWriter(16 + wordsOf(op.params)), layout, tiling)
    .u32(units, statusCode(op.name))
    .i32(args.ignoreIndex)
    .f32(args.labelSmoothing, known ? 1 / (args.count ?? rows) : 1, by)
    .u32((window?.first ?? 0) * layout.inner, firstLoss, 0, 0);
  writeParams(uniforms, op.params, params);
  return {
    program,
    entry: ENTRIES[phase],
    constants: {
      ...tiling.constants,
      ...(single ? { workgroup_size: workgroupSize(caps.tuning.finishWorkgroup, caps) } : {}),
      normalised: Number(op.normalised),
    },
    bindings: bindingsOf(context),
    uniforms: uniforms.buffer,
    workgroups: single ? [1, 1, 1] : workgroupsOf(tiling, units, caps),
  };
}

function bindingsOf({ args, phase, inputs, outputs, window, own }: LaunchContext): Binding[] {
  const places = placesOf(args);
  const writes = phase === 'rows' || phase === 'chunks';
  const bindings: Binding[] = [];
  const bind = (slot: number, place: BufferSlice | undefined, access: 'read' | 'write'): void => {
    if (place && place.index >= 0) bindings.push({ slot, ...place, access });
  };
  // The window of a tensor that has the shape of the scores.
  const bindLarge = (slot: number, place: BufferSlice, access: 'read' | 'write'): void => {
    if (place.index < 0) return;
    const view = (place.of === 'input' ? inputs : outputs)[place.index];
    const binding: Binding = { slot, ...place, access };
    bindings.push(window ? windowBinding(binding, window, view) : binding);
  };
  const input = (index: number): BufferSlice => ({ of: 'input', index });
  const output = (index: number): BufferSlice => ({ of: 'output', index });
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

// Makes the launches of a norm: one over rows, or chunks of them, and one over columns.
import backwardText from '../../../shaders/kernels/norm/backward.wgsl?raw';
import sumsText from '../../../shaders/kernels/norm/backward-sums.wgsl?raw';
import columnsText from '../../../shaders/kernels/norm/columns.wgsl?raw';
import forwardText from '../../../shaders/kernels/norm/forward.wgsl?raw';
import givenBackwardText from '../../../shaders/kernels/norm/given-backward.wgsl?raw';
import givenForwardText from '../../../shaders/kernels/norm/given-forward.wgsl?raw';
import kernelText from '../../../shaders/kernels/norm/norm.wgsl?raw';
import type { DType } from '../../core/dtype.ts';
import {
  UniformWriter,
  workgroupSize,
  type Binding,
  type BufferSlice,
  type Capabilities,
  type Launch,
  type View,
} from '../../core/kernel.ts';
import { bits, rowBlocks, rowsByInvocation } from '../../shader/lib.ts';
import { cachedProgram, source } from '../../shader/link.ts';
import { rowWorkgroup, workgroupsOf, writeTiling, type ChunkTiling } from '../rows/tiling.ts';
import type { NormArgs, NormBackward, NormLayout } from './args.ts';
import { inQuads, normAccess, SLOTS, type NormTensors } from './bindings.ts';

const kernel = /* @__PURE__ */ source('kernels/norm/norm.wgsl', kernelText, [bits, rowBlocks]);
const forwardEntries = /* @__PURE__ */ source('kernels/norm/forward.wgsl', forwardText);
const sumEntries = /* @__PURE__ */ source('kernels/norm/backward-sums.wgsl', sumsText);
const backwardEntries = /* @__PURE__ */ source('kernels/norm/backward.wgsl', backwardText, [
  sumEntries,
]);
const entries = {
  forward: forwardEntries,
  backward: backwardEntries,
  sums: sumEntries,
  'given forward': /* @__PURE__ */ source('kernels/norm/given-forward.wgsl', givenForwardText, [
    forwardEntries,
  ]),
  'given backward': /* @__PURE__ */ source('kernels/norm/given-backward.wgsl', givenBackwardText, [
    backwardEntries,
  ]),
  columns: /* @__PURE__ */ source('kernels/norm/columns.wgsl', columnsText),
};

/** Sums of the gradients of operands over groups of rows, each [groups, n]. */
export function launchColumns(
  args: NormBackward,
  groups: number,
  inputs: readonly View[],
  sums: readonly BufferSlice[],
  caps: Capabilities,
): Launch {
  const { op, layout, wants } = args;
  const { outer, n } = layout;
  const upstream = inputs.length - 1;
  const access = normAccess(args, layout, {
    x: dtypeOf(inputs, 0),
    gradOutput: dtypeOf(inputs, upstream),
    statistics: 'read',
    operands: [],
    grads: wants.operands,
  });
  const quads = Math.ceil(n / 4);
  const tiling: ChunkTiling = {
    unit: 'invocation',
    source: rowsByInvocation,
    rows: outer,
    chunks: groups,
    quads,
    chunkQuads: Math.ceil(outer / groups),
    constants: { workgroup_size: workgroupSize(rowWorkgroup(quads * groups, caps), caps) },
  };
  const program = cachedProgram(op, `columns;${access.key}`, op.name, kernel, () => ({
    rows: tiling.source,
    access: access.source(),
    op: op.source,
    entry: entries.columns,
  }));
  return {
    program,
    entry: 'columns',
    constants: tiling.constants,
    bindings: [...gradientReads(upstream), ...sumBindings(sums)],
    uniforms: uniformsOf(args, layout, tiling),
    workgroups: workgroupsOf(tiling, quads * groups, caps),
  };
}

/** One entry point over rows, or chunks of them. `layout`: where rows are others than those of the call. */
export function launchRows(
  args: NormArgs,
  layout: NormLayout,
  tiling: ChunkTiling,
  has: NormTensors,
  entry: string,
  bindings: readonly Binding[],
  caps: Capabilities,
): Launch {
  const { op, direction } = args;
  const access = normAccess(args, layout, has);
  const given = entry.endsWith('_given');
  const which =
    entry === 'backward_sums' ? 'sums' : given ? (`given ${direction}` as const) : direction;
  const program = cachedProgram(
    op,
    `${which};${tiling.unit};${access.key}`,
    op.name,
    kernel,
    () => ({
      rows: tiling.source,
      access: access.source(),
      op: op.source,
      entry: entries[which],
    }),
  );
  return {
    program,
    entry,
    constants: tiling.constants,
    bindings,
    uniforms: uniformsOf(args, layout, tiling),
    workgroups: workgroupsOf(tiling, tiling.rows * tiling.chunks, caps),
  };
}

function uniformsOf(
  { op, eps, channels, first = 0 }: NormArgs,
  layout: NormLayout,
  tiling: ChunkTiling,
): ArrayBuffer {
  const { outer, n, span } = layout;
  const unit = inQuads(layout) ? 4 : 1;
  const { groups = 1, each = 1, span: neighbours = 1 } = channels ?? {};
  return writeTiling(new UniformWriter(16), layout, tiling)
    .f32(1 / n, eps, scaleLimit(eps, op.degree), n / (n - 1))
    .u32(span / unit, ((outer - 1) * span) / unit, first, groups, each)
    .u32(neighbours % 4 === 0 ? neighbours / 4 : neighbours).buffer;
}

/**
 * The largest power of two whose power of so many, times eps, stays well within float32. It is at most 2^100 then, beside which
 * no term counts.
 */
function scaleLimit(eps: number, degree: number): number {
  return 2 ** Math.max(-100, Math.min(127, Math.floor((100 - Math.log2(eps)) / degree)));
}

export const gradientReads = (upstream: number): Binding[] => [
  { slot: SLOTS.x, of: 'input', index: 0, access: 'read' },
  { slot: SLOTS.statistics, of: 'input', index: 1, access: 'read' },
  { slot: SLOTS.gradOutput, of: 'input', index: upstream, access: 'read' },
];

export const operandBindings = (places: readonly number[]): Binding[] =>
  places.flatMap((index, i): Binding[] =>
    index < 0 ? [] : [{ slot: SLOTS.operands + i, of: 'input', index, access: 'read' }],
  );

/** Where what the gradients of operands are sums of is written; an index below 0 is of none. */
export const sumBindings = (sums: readonly BufferSlice[]): Binding[] =>
  sums.flatMap((slice, i): Binding[] =>
    slice.index < 0 ? [] : [{ slot: SLOTS.grads + i, ...slice, access: 'write' }],
  );

export function dtypeOf(views: readonly View[], index: number): DType {
  return views[index]?.dtype ?? 'float32';
}

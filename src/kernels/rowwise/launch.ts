// The launches of row-wise ops on rows that are bound: whole rows, or the two of rows in chunks.
import backwardText from '../../../shaders/kernels/rowwise/backward.wgsl?raw';
import forwardText from '../../../shaders/kernels/rowwise/forward.wgsl?raw';
import kernelText from '../../../shaders/kernels/rowwise/rowwise.wgsl?raw';
import {
  UniformWriter,
  type Binding,
  type Capabilities,
  type Launch,
  type Plan,
  type View,
} from '../../core/kernel.ts';
import { bits, logSoftmax, rowBlocks } from '../../shader/lib.ts';
import { cachedProgram, source } from '../../shader/link.ts';
import { accessKey, accessSource, isPacked, rowAccess, type RowTensor } from '../rows/bindings.ts';
import {
  tileChunks,
  windowBinding,
  workgroupsOf,
  writeTiling,
  type ChunkTiling,
  type RowWindow,
} from '../rows/tiling.ts';
import { isOfRows, type RowwiseArgs } from './args.ts';
import {
  maskingAccess,
  maskingKey,
  MASKING_WORDS,
  OPERANDS,
  PLAIN_BASE,
  throughOf,
  writeMasking,
  type Start,
} from './masking.ts';

const kernel = /* @__PURE__ */ source('kernels/rowwise/rowwise.wgsl', kernelText, [
  bits,
  rowBlocks,
  logSoftmax,
]);
const entries = {
  forward: /* @__PURE__ */ source('kernels/rowwise/forward.wgsl', forwardText),
  backward: /* @__PURE__ */ source('kernels/rowwise/backward.wgsl', backwardText),
};

export function planWindow(
  args: RowwiseArgs,
  window: RowWindow,
  start: Start,
  scratchIndex: number,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const tiling = tileChunks(window.layout, caps);
  const { rows, chunks } = tiling;
  const [reads, writes] = bindingsOf(args, window, inputs, outputs[0]);
  const launch = launcherFor(args, window, start, tiling, inputs, outputs, caps);
  if (chunks === 1) return { launches: [launch('rows', [...reads, writes], rows)], scratch: [] };
  const parts: Binding = { slot: 4, of: 'scratch', index: scratchIndex, access: 'write' };
  return {
    launches: [
      launch('parts', [...reads, parts], rows * chunks),
      launch('chunks', [...reads, writes, parts], rows * chunks),
    ],
    scratch: [rows * chunks * 8],
  };
}

/** A function that makes the launches of a window. */
export function launcherFor(
  { op, direction, masking }: RowwiseArgs,
  { layout }: RowWindow,
  start: Start,
  tiling: ChunkTiling,
  inputs: readonly View[],
  [output]: readonly View[],
  caps: Capabilities,
): (entry: string, bindings: readonly Binding[], units: number) => Launch {
  const { unit, constants } = tiling;
  const packed = isPacked(layout);
  const [x, ...others] = inputs;
  const gradOutput = others[masking?.mask ? 1 : 0];
  const common = { packed, access: 'read' } as const;
  const through = (name: 'x' | 'y' | 'grad_output') =>
    masking ? throughOf(masking, direction, name) : {};
  const tensors: RowTensor[] = [
    {
      ...common,
      slot: 1,
      name: 'x',
      dtype: x?.dtype ?? 'float32',
      // Elements past the end of a row must change neither its maximum nor its sum.
      fill: direction === 'forward' ? 'padding()' : '0.0',
      ...through('x'),
    },
    {
      ...common,
      slot: 2,
      name: 'y',
      dtype: output?.dtype ?? 'float32',
      access: 'write',
      ...through('y'),
    },
  ];
  if (gradOutput) {
    const { dtype } = gradOutput;
    tensors.push({ ...common, slot: 3, name: 'grad_output', dtype, ...through('grad_output') });
  }
  const more = masking ? maskingAccess(masking, layout, direction, op.leftOut ?? 0) : PLAIN_BASE;
  const program = cachedProgram(
    op,
    `${direction};${unit};${accessKey(tensors)};${masking ? maskingKey(masking, layout) : ''}`,
    op.name,
    kernel,
    () => ({
      rows: tiling.source,
      ...(masking ? { operands: OPERANDS } : {}),
      access: accessSource(
        more + rowAccess(tensors),
        tensors.map(({ dtype }) => dtype),
      ),
      op: op.source,
      entry: entries[direction],
    }),
  );
  const writer = new UniformWriter(masking ? MASKING_WORDS : 6);
  writeTiling(writer, layout, tiling);
  const uniforms = (masking ? writeMasking(writer, masking, start) : writer).buffer;
  return (entry, bindings, units) => ({
    program,
    entry: `${direction}_${entry}`,
    constants,
    bindings,
    uniforms,
    workgroups: workgroupsOf(tiling, units, caps),
  });
}

/** The windows of x, or of the output, of a mask and gradOutput that are read; and what is written. */
export function bindingsOf(
  args: RowwiseArgs,
  window: RowWindow,
  inputs: readonly View[],
  output: View | undefined,
): [reads: Binding[], writes: Binding] {
  const reads = inputs.map((view, index) => {
    const slot = index === 0 ? 1 : index === 1 && args.masking?.mask ? 5 : 3;
    const binding = { slot, of: 'input', index, access: 'read' } as const;
    return isOfRows(args, index) ? windowBinding(binding, window, view) : binding;
  });
  const writes: Binding = { slot: 2, of: 'output', index: 0, access: 'write' };
  return [reads, windowBinding(writes, window, output)];
}

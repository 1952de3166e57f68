// Plans row-wise ops on a tensor seen as [outer, n, inner]; with the CPU loop over rows.
import scanText from '../../../shaders/kernels/rowwise/scan.wgsl?raw';
import { at } from '../../cpu/rows.ts';
import backwardText from '../../../shaders/kernels/rowwise/backward.wgsl?raw';
import forwardText from '../../../shaders/kernels/rowwise/forward.wgsl?raw';
import kernelText from '../../../shaders/kernels/rowwise/rowwise.wgsl?raw';
import type { NumericArray } from '../../core/dtype.ts';
import { bits, logSoftmax, rowBlocks, rowsByInvocation } from '../../shader/lib.ts';
import { cachedProgram, source, type Source } from '../../shader/link.ts';
import {
  foldWorkgroups,
  UniformWriter,
  type Binding,
  type Capabilities,
  type Kernel,
  type Launch,
  type Plan,
  type View,
} from '../../core/kernel.ts';
import type { RowLayout } from '../../core/shape.ts';
import { accessKey, accessSource, isPacked, rowAccess, type RowTensor } from '../rows/bindings.ts';
import {
  forEachRow,
  tileChunks,
  windowBinding,
  windowsOf,
  workgroupsOf,
  writeTiling,
  type ChunkTiling,
  type RowWindow,
} from '../rows/tiling.ts';
import { forEachLongRow, tileLong } from '../rows/long-rows.ts';
import { inputsOf, outputsOf, stretch, viewsOf, type Region } from '../windows/regions.ts';
import { Windows, type RowRegion } from '../windows/windows.ts';
import {
  computeMasked,
  maskingAccess,
  maskingKey,
  MASKING_WORDS,
  OPERANDS,
  PLAIN_BASE,
  throughOf,
  writeMasking,
  type Masking,
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
const scanKernel = /* @__PURE__ */ source('kernels/rowwise/scan.wgsl', scanText, [bits]);

/** One row-wise op. The float64 functions see a row at a time. */
export interface RowwiseOp {
  readonly name: string;
  readonly source: Source;
  readonly forward: (x: Float64Array, y: Float64Array) => void;
  readonly backward: (y: Float64Array, gradOutput: Float64Array, gradInput: Float64Array) => void;
  /** The result where a mask leaves an element out: 0 or -Infinity. */
  readonly leftOut?: number;
}

export interface RowwiseArgs {
  readonly op: RowwiseOp;
  readonly layout: RowLayout;
  /** Inputs: x for `'forward'`; output and gradOutput for `'backward'`. A mask comes after the first. */
  readonly direction: 'forward' | 'backward';
  readonly masking?: Masking;
}

export const rowwise: Kernel<RowwiseArgs> = {
  name: 'rowwise',
  float16: 'native',
  // Two rows may share a word.
  widens: ({ layout }) => !isPacked(layout),
  plan: planRows,
  cpu: computeRows,
};

/** Ops that go over a row several times, each row by one invocation: no barrier, so no bound on the times. */
export const rowScan: Kernel<RowwiseArgs> = {
  name: 'rowScan',
  float16: 'convert',
  plan: planScan,
  cpu: computeRows,
};

/** Whether an input has an element for each of the rows: all but a mask that is broadcast, which is bound whole. */
function isOfRows({ masking }: RowwiseArgs, index: number): boolean {
  return index !== 1 || !masking?.mask || masking.mask.whole;
}

/** The launches of each window, with scratch of its own. */
function planRows(
  args: RowwiseArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const ofRows = inputs.filter((_, index) => isOfRows(args, index));
  const windows = windowsOf(args.layout, [...ofRows, ...outputs], caps);
  if (windows.length === 0) return planParts(args, inputs, outputs, caps);
  const launches: Launch[] = [];
  const scratch: number[] = [];
  for (const window of windows) {
    const start = { row: window.first * args.layout.inner, element: 0 };
    const plan = planWindow(args, window, start, scratch.length, inputs, outputs, caps);
    launches.push(...plan.launches);
    scratch.push(...plan.scratch);
  }
  return { launches, scratch };
}

/** Slices or columns that windows of the tensors cannot show as they are; and rows longer than a binding. */
function planParts(
  args: RowwiseArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const { n } = args.layout;
  const windows = new Windows(caps);
  const [ins, outs] = [inputsOf(inputs), outputsOf(outputs)];
  const rows = ins.map((region, i): RowRegion => ({
    ...region,
    each: isOfRows(args, i) ? n : null,
  }));
  const results = outs.map((region): RowRegion => ({ ...region, each: n }));
  const planned = windows.rows(args.layout, rows, results, ({ outer, inner, first }, from, to) => {
    const window = { layout: { outer, n, inner }, first: 0, part: false };
    const start = { row: first, element: 0 };
    return planWindow(args, window, start, 0, viewsOf(from), viewsOf(to), caps);
  });
  if (!planned) planLongRows(args, windows, ins, outs);
  return windows;
}

/**
 * Some columns of a slice at a time, in windows along their rows: a first launch in each leaves the sums of its chunks, a
 * second one writes what follows from all.
 */
function planLongRows(
  args: RowwiseArgs,
  windows: Windows,
  inputs: readonly Region[],
  outputs: readonly Region[],
): void {
  const { caps } = windows;
  const [output] = outputs;
  if (!output) return;
  let parts: Region | undefined;
  forEachLongRow(args.layout, windows, ({ outer, from, columns, length, blocks }) => {
    const row = outer * args.layout.inner + from;
    const tiling = tileLong({ outer: 1, n: length, inner: columns }, caps);
    const chunksOf = (count: number): number => Math.ceil(Math.ceil(count / 4) / tiling.chunkQuads);
    const chunks = blocks.reduce((sum, { count }) => sum + chunksOf(count), 0);
    const sums = (parts ??= windows.keep(chunks * columns * 2));
    for (const write of [false, true]) {
      let before = 0;
      for (const { first: element, count, block } of blocks) {
        const layout = { outer: 1, n: count, inner: columns };
        const window = { layout, first: 0, part: false };
        const own = chunksOf(count);
        const first = before;
        before += own;
        windows.part(() => {
          const sources = inputs.map((input, i) =>
            isOfRows(args, i) ? windows.read(input, block) : input,
          );
          const target = write ? windows.write(output, block) : output;
          const made = write
            ? sums
            : windows.write(sums, stretch(first * columns * 2, own * columns * 2));
          const quads = Math.ceil(count / 4);
          const tilingHere = { ...tiling, quads, chunks: write ? chunks : own };
          const [views, written] = [viewsOf(sources), viewsOf([target])];
          const start = { row, element };
          const launch = launcherFor(args, window, start, tilingHere, views, written, caps);
          const [reads, writes] = bindingsOf(args, window, views, target.view);
          const between: Binding = { slot: 4, of: 'output', index: 1, access: 'write' };
          const bindings = [...reads, ...(write ? [writes] : []), between];
          const launches = [launch(write ? 'chunks' : 'parts', bindings, own * columns)];
          windows.add({ launches, scratch: [] }, sources, [target, made]);
        });
      }
    }
  });
}

function planWindow(
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
function launcherFor(
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
function bindingsOf(
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

function planScan(
  args: RowwiseArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const { op, layout, direction } = args;
  const program = cachedProgram(op, '', op.name, scanKernel, () => ({
    rows: rowsByInvocation,
    op: op.source,
  }));
  const launchOf = (window: RowWindow): Launch => {
    const { outer, n, inner } = window.layout;
    const [reads, writes] = bindingsOf(args, window, inputs, outputs[0]);
    return {
      program,
      entry: `${direction}_rows`,
      constants: { workgroup_size: 64 },
      bindings: [...reads, writes],
      uniforms: new UniformWriter(3).u32(n, inner, outer * inner).buffer,
      workgroups: foldWorkgroups(Math.ceil((outer * inner) / 64), caps),
    };
  };
  const whole = { layout, first: 0, part: false };
  const slices = windowsOf(layout, [...inputs, ...outputs], caps);
  if (slices.length > 0) return { launches: slices.map(launchOf), scratch: [] };
  const windows = new Windows(caps);
  const { n } = layout;
  const [ins, outs] = [inputsOf(inputs), outputsOf(outputs)].map((list) =>
    list.map((region) => ({ ...region, each: n })),
  );
  const planned = windows.rows(layout, ins ?? [], outs ?? [], ({ outer, inner }) => ({
    launches: [launchOf({ ...whole, layout: { outer, n, inner } })],
    scratch: [],
  }));
  // A row is longer than a binding, and is gone through again and again by one invocation.
  return planned ? windows : { launches: [launchOf(whole)], scratch: [] };
}

function computeRows(
  args: RowwiseArgs,
  inputs: readonly NumericArray[],
  [y]: readonly NumericArray[],
): void {
  const { op, layout, direction, masking } = args;
  if (masking && y) {
    computeMasked(args, masking, inputs, y);
    return;
  }
  const { n, inner } = layout;
  const rows = inputs.map(() => new Float64Array(n));
  const [first, second] = rows;
  const result = new Float64Array(n);
  if (!y || !first) return;
  forEachRow(layout, (base) => {
    inputs.forEach((input, k) => {
      gather(input, base, inner, rows[k]);
    });
    if (direction === 'forward') op.forward(first, result);
    else if (second) op.backward(first, second, result);
    for (let i = 0; i < n; i++) y[base + i * inner] = at(result, i);
  });
}

/** Copies a row out of a tensor. */
export function gather(
  from: NumericArray,
  base: number,
  step: number,
  to: Float64Array | undefined,
): void {
  if (to) for (let i = 0; i < to.length; i++) to[i] = from[base + i * step] ?? NaN;
}

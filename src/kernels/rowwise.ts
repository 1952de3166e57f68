// In: a row-wise op and a tensor seen as [outer, n, inner]. Out: its launches, or the CPU loop over rows.
import scanText from '../../shaders/kernels/row-scan.wgsl?raw';
import eachText from '../../shaders/kernels/rowwise-each.wgsl?raw';
import backwardText from '../../shaders/kernels/rowwise-backward.wgsl?raw';
import forwardText from '../../shaders/kernels/rowwise-forward.wgsl?raw';
import kernelText from '../../shaders/kernels/rowwise.wgsl?raw';
import type { NumericArray } from '../dtype.ts';
import {
  anchoredExp,
  bits,
  logSoftmax,
  normaliser,
  normaliserEach,
  rowBlocks,
  rowsByInvocation,
} from '../gpu/lib.ts';
import { cachedProgram, source, type Source } from '../gpu/link.ts';
import {
  foldWorkgroups,
  UniformWriter,
  type Binding,
  type Capabilities,
  type Kernel,
  type Launch,
  type Plan,
  type View,
} from '../kernel.ts';
import type { RowLayout } from '../shape.ts';
import { accessKey, accessSource, isPacked, rowAccess, type RowTensor } from './row-access.ts';
import {
  forEachRow,
  isFew,
  ROWS_EACH,
  spreadRows,
  windowBinding,
  windowsOf,
  workgroupsOf,
  writeSpread,
  type RowWindow,
} from './rows.ts';

const kernel = /* @__PURE__ */ source('kernels/rowwise.wgsl', kernelText, [
  bits,
  rowBlocks,
  logSoftmax,
]);
const eachKernel = /* @__PURE__ */ source('kernels/rowwise-each.wgsl', eachText, [
  bits,
  anchoredExp,
  normaliser,
  normaliserEach,
]);
const entries = {
  forward: /* @__PURE__ */ source('kernels/rowwise-forward.wgsl', forwardText),
  backward: /* @__PURE__ */ source('kernels/rowwise-backward.wgsl', backwardText),
};
const scanKernel = /* @__PURE__ */ source('kernels/row-scan.wgsl', scanText, [bits]);

/** One row-wise op. The float64 functions see a row at a time. */
export interface RowwiseOp {
  readonly name: string;
  readonly source: Source;
  readonly forward: (x: Float64Array, y: Float64Array) => void;
  readonly backward: (y: Float64Array, gradOutput: Float64Array, gradInput: Float64Array) => void;
}

export interface RowwiseArgs {
  readonly op: RowwiseOp;
  readonly layout: RowLayout;
  /** Inputs: x for `'forward'`; output and gradOutput for `'backward'`. */
  readonly direction: 'forward' | 'backward';
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

/** The launches of each window, with scratch of its own. */
function planRows(
  args: RowwiseArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  if (isFew(args.layout, [...inputs, ...outputs], caps)) {
    return { launches: [launchEach(args, inputs, outputs)], scratch: [] };
  }
  const launches: Launch[] = [];
  const scratch: number[] = [];
  for (const window of windowsOf(args.layout, [...inputs, ...outputs], caps)) {
    const plan = planWindow(args, window, scratch.length, inputs, outputs, caps);
    launches.push(...plan.launches);
    scratch.push(...plan.scratch);
  }
  return { launches, scratch };
}

function launchEach(
  { op, layout, direction }: RowwiseArgs,
  inputs: readonly View[],
  [output]: readonly View[],
): Launch {
  const { outer, n, inner } = layout;
  const rows = outer * inner;
  const [reads, writes] = bindingsOf({ layout, first: 0, part: false }, inputs, output);
  return {
    program: cachedProgram(op, '', op.name, eachKernel, () => ({ op: op.source })),
    entry: `${direction}_each`,
    bindings: [...reads, writes],
    uniforms: new UniformWriter(3).u32(n, inner, rows).buffer,
    workgroups: [Math.max(1, Math.ceil(rows / ROWS_EACH)), 1, 1],
  };
}

function planWindow(
  { op, direction }: RowwiseArgs,
  window: RowWindow,
  scratchIndex: number,
  inputs: readonly View[],
  [output]: readonly View[],
  caps: Capabilities,
): Plan {
  const { layout } = window;
  const spread = spreadRows(layout, caps);
  const { unit, rows, chunks, constants } = spread;
  const packed = isPacked(layout);
  const [x, gradOutput] = inputs;
  const common = { packed, access: 'read' } as const;
  const tensors: RowTensor[] = [
    {
      ...common,
      slot: 1,
      name: 'x',
      dtype: x?.dtype ?? 'float32',
      // What is not there has no share in a maximum or a sum.
      fill: direction === 'forward' ? 'padding()' : '0.0',
    },
    { ...common, slot: 2, name: 'y', dtype: output?.dtype ?? 'float32', access: 'write' },
  ];
  if (gradOutput) {
    tensors.push({ ...common, slot: 3, name: 'grad_output', dtype: gradOutput.dtype });
  }
  const program = cachedProgram(
    op,
    `${direction};${unit};${accessKey(tensors)}`,
    op.name,
    kernel,
    () => ({
      rows: spread.source,
      access: accessSource(
        rowAccess(tensors),
        tensors.map(({ dtype }) => dtype),
      ),
      op: op.source,
      entry: entries[direction],
    }),
  );
  const uniforms = writeSpread(new UniformWriter(6), layout, spread).buffer;
  const [reads, writes] = bindingsOf(window, inputs, output);
  const launch = (entry: string, bindings: readonly Binding[]): Launch => ({
    program,
    entry: `${direction}_${entry}`,
    constants,
    bindings,
    uniforms,
    workgroups: workgroupsOf(spread, rows * chunks, caps),
  });
  if (chunks === 1) return { launches: [launch('rows', [...reads, writes])], scratch: [] };
  const parts: Binding = { slot: 4, of: 'scratch', index: scratchIndex, access: 'write' };
  return {
    launches: [launch('parts', [...reads, parts]), launch('chunks', [...reads, writes, parts])],
    scratch: [rows * chunks * 8],
  };
}

/** The windows of x, or of the output, and gradOutput that are read; and what is written. */
function bindingsOf(
  window: RowWindow,
  inputs: readonly View[],
  output: View | undefined,
): [reads: Binding[], writes: Binding] {
  const reads = inputs.map((view, index) => {
    const slot = index === 0 ? 1 : 3;
    return windowBinding({ slot, of: 'input', index, access: 'read' }, window, view);
  });
  const writes: Binding = { slot: 2, of: 'output', index: 0, access: 'write' };
  return [reads, windowBinding(writes, window, output)];
}

function planScan(
  { op, layout, direction }: RowwiseArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const program = cachedProgram(op, '', op.name, scanKernel, () => ({
    rows: rowsByInvocation,
    op: op.source,
  }));
  const launches = windowsOf(layout, [...inputs, ...outputs], caps).map((window): Launch => {
    const { outer, n, inner } = window.layout;
    const [reads, writes] = bindingsOf(window, inputs, outputs[0]);
    return {
      program,
      entry: `${direction}_rows`,
      constants: { workgroup_size: 64 },
      bindings: [...reads, writes],
      uniforms: new UniformWriter(3).u32(n, inner, outer * inner).buffer,
      workgroups: foldWorkgroups(Math.ceil((outer * inner) / 64), caps),
    };
  });
  return { launches, scratch: [] };
}

function computeRows(
  { op, layout, direction }: RowwiseArgs,
  inputs: readonly NumericArray[],
  [y]: readonly NumericArray[],
): void {
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
    for (let i = 0; i < n; i++) y[base + i * inner] = result[i] ?? NaN;
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

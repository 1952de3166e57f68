// In: a row-wise op and a tensor seen as [outer, n, inner]. Out: its launch, or the CPU loop over rows.
import scanText from '../../shaders/kernels/row-scan.wgsl?raw';
import kernelText from '../../shaders/kernels/rowwise.wgsl?raw';
import type { NumericArray } from '../dtype.ts';
import { bits, logSoftmax } from '../gpu/lib.ts';
import { cachedProgram, source, type Source } from '../gpu/link.ts';
import { UniformWriter, type Binding, type Kernel, type Plan } from '../kernel.ts';
import type { RowLayout } from '../shape.ts';
import { forEachRow, invocationPerRow, rowLaunch, type RowLaunch } from './rows.ts';

const kernel = /* @__PURE__ */ source('kernels/rowwise.wgsl', kernelText, [logSoftmax]);
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
  float16: 'convert',
  plan: (args, inputs, _outputs, caps) =>
    planRows(kernel, args, rowLaunch(args.layout, caps), inputs.length),
  cpu: computeRows,
};

/** Ops that go over a row several times, each row by one invocation: no barrier, so no bound on the times. */
export const rowScan: Kernel<RowwiseArgs> = {
  name: 'rowScan',
  float16: 'convert',
  plan: (args, inputs, _outputs, caps) =>
    planRows(scanKernel, args, invocationPerRow(args.layout, caps), inputs.length),
  cpu: computeRows,
};

function planRows(
  text: Source,
  { op, layout, direction }: RowwiseArgs,
  { variant, rows, constants, workgroups }: RowLaunch,
  inputs: number,
): Plan {
  const program = cachedProgram(op, variant, op.name, text, () => ({ rows, op: op.source }));
  const bindings: Binding[] = [
    { slot: 1, of: 'input', index: 0, access: 'read' },
    { slot: 2, of: 'output', index: 0, access: 'write' },
  ];
  if (inputs > 1) bindings.push({ slot: 3, of: 'input', index: 1, access: 'read' });
  const { outer, n, inner } = layout;
  return {
    launches: [
      {
        program,
        entry: `${direction}_rows`,
        constants,
        bindings,
        uniforms: new UniformWriter(3).u32(n, inner, outer * inner).buffer,
        workgroups,
      },
    ],
    scratch: [],
  };
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

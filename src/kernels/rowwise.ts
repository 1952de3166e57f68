// In: a row-wise op and a tensor seen as [outer, n, inner]. Out: its launch, or the CPU loop over rows.
import kernelText from '../../shaders/kernels/rowwise.wgsl?raw';
import type { NumericArray } from '../dtype.ts';
import { logSoftmax } from '../gpu/lib.ts';
import { cachedProgram, source, type Source } from '../gpu/link.ts';
import { UniformWriter, type Binding, type Kernel } from '../kernel.ts';
import type { RowLayout } from '../shape.ts';
import { forEachRow, rowLaunch } from './rows.ts';

const kernel = /* @__PURE__ */ source('kernels/rowwise.wgsl', kernelText, [logSoftmax]);

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
  plan: ({ op, layout, direction }, inputs, _outputs, caps) => {
    const { variant, rows, constants, workgroups } = rowLaunch(layout, caps);
    const linked = cachedProgram(op, variant, op.name, kernel, () => ({ rows, op: op.source }));
    const bindings: Binding[] = [
      { slot: 1, of: 'input', index: 0, access: 'read' },
      { slot: 2, of: 'output', index: 0, access: 'write' },
    ];
    if (inputs.length > 1) bindings.push({ slot: 3, of: 'input', index: 1, access: 'read' });
    const { outer, n, inner } = layout;
    return {
      launches: [
        {
          program: linked,
          entry: `${direction}_rows`,
          constants,
          bindings,
          uniforms: new UniformWriter(3).u32(n, inner, outer * inner).buffer,
          workgroups,
        },
      ],
      scratch: [],
    };
  },
  cpu: ({ op, layout, direction }, inputs, [y]) => {
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
  },
};

/** Copies a row out of a tensor. */
export function gather(
  from: NumericArray,
  base: number,
  step: number,
  to: Float64Array | undefined,
): void {
  if (to) for (let i = 0; i < to.length; i++) to[i] = from[base + i * step] ?? NaN;
}

// The kernel of sums over the middle dimension of a tensor seen as [outer, n, inner]; sums.ts plans it.
import type { NumericArray } from '../../core/dtype.ts';
import type { DeviceKernel } from '../../core/kernel.ts';
import type { RowLayout } from '../../core/shape.ts';

export interface SumLayout extends RowLayout {
  /** The divisor of the sums. */
  readonly divisor: number;
  /** Whether the terms are sums in two parts, as in `lib/sum.wgsl`. */
  readonly pairs?: boolean;
}

/** Sum or mean along one (merged) dimension; input [outer, n, inner], output [outer, inner]. */
export const reduceKernel: DeviceKernel<SumLayout> = {
  name: 'sum',
  float16: 'convert',
  plan: (layout, inputs, outputs, caps) => caps.sums(layout, inputs, outputs, caps),
  cpu: ({ outer, n, inner, divisor }, [x], [y]) => {
    if (!x || !y) return;
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++)
        y[o * inner + i] = sumOf(x, o * n * inner + i, n, inner) / divisor;
    }
  },
};

function sumOf(x: NumericArray, base: number, n: number, step: number): number {
  let total = 0;
  for (let k = 0; k < n; k++) total += x[base + k * step] ?? NaN;
  return total;
}

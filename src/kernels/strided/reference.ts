// The CPU loop of strided copies.
import type { NumericArray } from '../../core/dtype.ts';
import type { StridedArgs } from './plan.ts';

export function copyOnCpu(
  { parts }: StridedArgs,
  inputs: readonly NumericArray[],
  [y]: readonly NumericArray[],
): void {
  if (!y) return;
  for (const { shape, from, to } of parts) {
    const x = from ? inputs[from.input] : undefined;
    const last = shape.length - 1;
    const [extent, xStep, yStep] = [
      shape[last] ?? 1,
      from?.strides[last] ?? 0,
      to.strides[last] ?? 0,
    ];
    const visit = (d: number, xAt: number, yAt: number): void => {
      if (d >= last) {
        for (let i = 0; i < extent; i++) {
          y[yAt + i * yStep] = x ? (x[xAt + i * xStep] ?? NaN) : 0;
        }
        return;
      }
      for (let i = 0; i < (shape[d] ?? 1); i++) {
        visit(d + 1, xAt + i * (from?.strides[d] ?? 0), yAt + i * (to.strides[d] ?? 0));
      }
    };
    visit(0, from?.offset ?? 0, to.offset);
  }
}

// Which sums along one dimension a sum along several is made of.
import { rowLayout, sizeOf, type Shape } from '../../core/shape.ts';
import type { SumLayout } from './plan.ts';

export interface SumStep {
  readonly layout: SumLayout;
  /** The shape of the result: summed dimensions stay with length 1. */
  readonly shape: Shape;
  readonly last: boolean;
}

/** The sums over `dims` (valid and distinct), and then over `divisor`. Adjacent dimensions are summed together. */
export function stepsOf(shape: Shape, dims: readonly number[], divisor: number): SumStep[] {
  const runs: { from: number; to: number }[] = [];
  for (const d of [...dims].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last?.to === d) last.to = d + 1;
    else runs.push({ from: d, to: d + 1 });
  }
  let current = shape;
  // The last group is first, so that later passes read less.
  return runs.reverse().map(({ from, to }, i) => {
    const merged = [
      ...current.slice(0, from),
      sizeOf(current.slice(from, to)),
      ...current.slice(to),
    ];
    const last = i === runs.length - 1;
    const layout = { ...rowLayout(merged, from), divisor: last ? divisor : 1 };
    current = current.map((d, k) => (k >= from && k < to ? 1 : d));
    return { layout, shape: current, last };
  });
}

/** The dimensions of `shape` along which a tensor of shape `from` is repeated to fill it. */
export function repeatedDims(from: Shape, shape: Shape): number[] {
  const lead = shape.length - from.length;
  return shape.flatMap((d, i) => (i < lead || (from[i - lead] === 1 && d !== 1) ? [i] : []));
}

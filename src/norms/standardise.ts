// What layerNorm does to a row, and groupNorm, instanceNorm and batchNorm to rows of other elements, in float64.
import { addAll, at, meanOf, product } from '../cpu/rows.ts';
import type { NormRows } from '../kernels/norm/args.ts';

const NONE = /* @__PURE__ */ new Float64Array();

/** (x - mean) / sqrt(variance + eps) · weight + bias. */
export function forward(
  { x, weight = NONE, bias = NONE }: NormRows,
  eps: number,
  y: Float64Array,
): void {
  const { z } = normalised(x, eps);
  y.set(product(z, weight));
  addAll(y, bias);
}

export function backward(
  { x, weight = NONE }: NormRows,
  eps: number,
  gradOutput: Float64Array,
  grads: NormRows,
): void {
  const { z, factor } = normalised(x, eps);
  const slope = product(gradOutput, weight);
  const mean = meanOf(slope);
  const meanProduct = meanOf(product(slope, z));
  grads.x.set(slope.map((s, i) => factor * (s - mean - at(z, i) * meanProduct)));
  addAll(grads.weight ?? NONE, product(gradOutput, z));
  addAll(grads.bias ?? NONE, gradOutput);
}

/** A row normalised, and its factor. The mean is corrected once, as sums of float64 round too. */
function normalised(x: Float64Array, eps: number): { z: Float64Array; factor: number } {
  const about = meanOf(x);
  const mean = about + meanOf(x.map((v) => v - about));
  const deviations = x.map((v) => v - mean);
  const factor = 1 / Math.sqrt(meanOf(deviations.map((d) => d * d)) + eps);
  return { z: deviations.map((d) => d * factor), factor };
}

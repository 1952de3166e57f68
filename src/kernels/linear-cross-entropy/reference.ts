// The float64 loop of the linear cross-entropy. Logits that exceed the memory budget are computed twice instead of
// stored.
import type { NumericArray } from '../../core/dtype.ts';
import { at, atOr, maxOf } from '../../cpu/rows.ts';
import { bend, slopeOf } from '../class-loss/temper.ts';
import { placesOf, wantsGradients, type LinearCrossEntropyArgs } from './args.ts';

/** What the gradient needs to know of a row: its normaliser, and the total share of its classes in the loss. */
interface Row {
  readonly max: number;
  /** The sum of e^(z - max) over all classes except one that has the maximum. */
  readonly sumOthers: number;
  readonly logSum: number;
  readonly share: number;
  /** The log-probability of its class index. */
  readonly label: number;
}

export function linearCrossEntropyReference(
  args: LinearCrossEntropyArgs,
  inputs: readonly NumericArray[],
  outputs: readonly NumericArray[],
): void {
  const { batch, classes, inner, features, ignoreIndex, labelSmoothing, reduction } = args;
  const places = placesOf(args);
  const [input, weight, target] = inputs;
  if (!input || !weight || !target) return;
  const pick = (list: readonly NumericArray[], k: number): NumericArray | undefined =>
    k < 0 ? undefined : list[k];
  const bias = pick(inputs, places.inputs.linearBias);
  const weights = pick(inputs, places.inputs.weights);
  const gradOutput = pick(inputs, places.inputs.gradOutput);
  const { temper } = args;
  const bent = (z: number): number => (temper ? bend(z, temper) : z);
  const zLoss = temper?.zLoss ?? 0;
  const indices = args.target === 'classes';
  const weighted = !indices || labelSmoothing > 0;
  const columns = classes * inner;
  const rows = batch * inner;
  const weightOf = (c: number): number => atOr(weights, c, 1);
  const classOf = (row: number): number => at(target, row);
  const isIgnored = (row: number): boolean => indices && classOf(row) === ignoreIndex;
  /**
   * The factor of a class's loss from label smoothing or probabilities, without the factor for being the class index.
   */
  const shareOf = (n: number, c: number, d: number): number => {
    const soft = indices ? 0 : at(target, (n * classes + c) * inner + d);
    const each = labelSmoothing / classes;
    return indices ? each * weightOf(c) : weightOf(c) * ((1 - labelSmoothing) * soft + each);
  };
  const product = (n: number, column: number): number => {
    let z = atOr(bias, column, 0);
    const [x, w] = [n * features, column * features];
    for (let i = 0; i < features; i++) z += (input[x + i] ?? NaN) * (weight[w + i] ?? NaN);
    return z;
  };
  const kept =
    batch * columns * 8 <= args.memoryBudget ? new Float64Array(batch * columns) : undefined;
  if (kept)
    for (let i = 0; i < kept.length; i++) kept[i] = product(Math.floor(i / columns), i % columns);
  const logit = (n: number, column: number): number =>
    kept ? at(kept, n * columns + column) : product(n, column);

  let divisor = reduction === 'mean' ? rows : 1;
  if (reduction === 'mean' && indices) {
    divisor = 0;
    for (let row = 0; row < rows; row++) if (!isIgnored(row)) divisor += weightOf(classOf(row));
  }
  const losses = pick(outputs, places.outputs.loss);
  const found: Row[] = [];
  let total = 0;
  const z = new Float64Array(classes);
  for (let row = 0; row < rows; row++) {
    const [n, d] = [Math.floor(row / inner), row % inner];
    for (let c = 0; c < classes; c++) z[c] = bent(logit(n, c * inner + d));
    const largest = z.indexOf(maxOf(z));
    const max = at(z, largest);
    let sumOthers = 0;
    let below = 0;
    let share = 0;
    for (let c = 0; c < classes; c++) {
      if (c !== largest) sumOthers += Math.exp(at(z, c) - max);
      if (!weighted) continue;
      const s = shareOf(n, c, d);
      share += s;
      below += s * (max - at(z, c));
    }
    const logSum = Math.abs(max) < Infinity ? Math.log1p(sumOthers) : NaN;
    const label = indices ? -(logSum + (max - at(z, classOf(row)))) : 0;
    found.push({ max, sumOthers, logSum, share, label });
    let loss = weighted ? below + share * logSum : 0;
    if (indices) loss += (1 - labelSmoothing) * weightOf(classOf(row)) * -label;
    const lse = max + logSum;
    if (zLoss !== 0) loss += zLoss * lse * lse;
    if (isIgnored(row)) loss = 0;
    total += loss;
    if (losses && reduction === 'none') losses[row] = loss;
  }
  if (losses && reduction !== 'none') losses[0] = total / divisor;
  if (!wantsGradients(args)) return;

  const gradInput = pick(outputs, places.outputs.gradInput);
  const gradWeight = pick(outputs, places.outputs.gradLinearWeight);
  const gradBias = pick(outputs, places.outputs.gradLinearBias);
  const gradTarget = pick(outputs, places.outputs.gradTarget);
  // The sum stays float64 until all classes are added.
  const sums = new Float64Array(gradInput ? batch * features : 0);
  const line = new Float64Array(features);
  for (let column = 0; column < columns; column++) {
    const [c, d] = [Math.floor(column / inner), column % inner];
    line.fill(0);
    let lineSum = 0;
    for (let n = 0; n < batch; n++) {
      const row = n * inner + d;
      const { max, sumOthers, logSum, share, label } = found[row] ?? NOTHING;
      const upstream = atOr(gradOutput, reduction === 'none' ? row : 0, 1) / divisor;
      const scale = isIgnored(row) ? 0 : upstream;
      const raw = logit(n, column);
      const value = bent(raw);
      const keep = indices ? (1 - labelSmoothing) * weightOf(classOf(row)) : 0;
      const own = weighted ? shareOf(n, c, d) : 0;
      const p = Math.abs(max) < Infinity ? Math.exp(value - max) / (1 + sumOthers) : NaN;
      let g = scale * (isIgnored(row) ? p : p * (keep + share) - own);
      if (indices && c === classOf(row) && !isIgnored(row))
        g = scale * (keep * Math.expm1(label) + (Math.exp(label) * share - own));
      if (zLoss !== 0 && !isIgnored(row)) g += scale * 2 * zLoss * (max + logSum) * p;
      if (temper) g *= slopeOf(raw, temper);
      lineSum += g;
      const [x, w] = [n * features, column * features];
      for (let i = 0; i < features; i++) {
        if (gradInput) sums[x + i] = (sums[x + i] ?? NaN) + g * (weight[w + i] ?? NaN);
        line[i] = (line[i] ?? NaN) + g * (input[x + i] ?? NaN);
      }
      if (gradTarget) {
        const loss = logSum + (max - value);
        gradTarget[(n * classes + c) * inner + d] =
          scale * ((1 - labelSmoothing) * weightOf(c) * loss);
      }
    }
    if (gradBias) gradBias[column] = lineSum;
    gradWeight?.set(line, column * features);
  }
  gradInput?.set(sums);
}

const NOTHING: Row = { max: NaN, sumOthers: NaN, logSum: NaN, share: NaN, label: NaN };

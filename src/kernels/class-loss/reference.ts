// The float64 loop of class losses: losses and gradients, row by row.
import type { NumericArray } from '../../core/dtype.ts';
import { at, atOr, logSoftmaxOf, maxOf } from '../../cpu/rows.ts';
import { bend, slopeOf, type Temper } from './temper.ts';
import { placesOf, type ClassLossArgs } from './args.ts';
import { forEachRow } from '../rows/tiling.ts';
import { gather } from '../../cpu/rows.ts';

export function classLossReference(
  args: ClassLossArgs,
  inputs: readonly NumericArray[],
  outputs: readonly NumericArray[],
): void {
  const { op, params, layout, ignoreIndex, labelSmoothing, reduction } = args;
  const { n, inner } = layout;
  const rows = layout.outer * inner;
  const places = placesOf(args);
  const [scores, target] = inputs;
  if (!scores || !target) return;
  const pick = (list: readonly NumericArray[], k: number): NumericArray | undefined =>
    k < 0 ? undefined : list[k];
  const weights = pick(inputs, places.inputs.weights);
  const gradOutput = pick(inputs, places.inputs.gradOutput);
  const weightOf = (c: number): number => atOr(weights, c, 1);
  const classes = args.inputs.target === 'classes';
  const classOf = (row: number): number => at(target, row);

  let divisor = reduction === 'mean' ? rows : 1;
  if (reduction === 'mean' && classes) {
    divisor = 0;
    for (let row = 0; row < rows; row++)
      if (classOf(row) !== ignoreIndex) divisor += weightOf(classOf(row));
  }
  const kept = pick(outputs, places.outputs.divisor);
  if (kept) kept[0] = divisor;

  const losses = pick(outputs, places.outputs.loss);
  const gradScores = pick(outputs, places.outputs.gradScores);
  const gradProbabilities = pick(outputs, places.outputs.gradProbabilities);
  const l = new Float64Array(n);
  const slopes = new Float64Array(n).fill(1);
  const { zLoss = 0 } = op.tempered ? params : {};
  // The gradient with respect to each log-probability, for the classes that add to the loss.
  const own = new Float64Array(n);
  const alone = classes && labelSmoothing === 0;
  let total = 0;
  forEachRow(layout, (base, row) => {
    gather(scores, base, inner, l);
    if (op.tempered) {
      for (let c = 0; c < n; c++) {
        slopes[c] = slopeOf(l[c] ?? NaN, params as unknown as Temper);
        l[c] = bend(l[c] ?? NaN, params as unknown as Temper);
      }
    }
    const label = classes ? classOf(row) : -1;
    const { margin } = op;
    if (margin) {
      const { s = NaN } = params;
      for (let c = 0; c < n; c++) {
        const cosine = at(l, c);
        slopes[c] = c === label ? s * margin.slope(cosine, params) : s;
        l[c] = s * (c === label ? margin.score(cosine, params) : cosine);
      }
    }
    const peak = zLoss === 0 ? 0 : maxOf(l);
    const top = zLoss === 0 ? 0 : l.indexOf(peak);
    if (op.normalised) logSoftmaxOf(l, l);
    const ignored = classes && label === ignoreIndex;
    // Only the target's class adds to the loss. The others are skipped, not multiplied by 0, because their loss may
    // be infinite.
    const [from, to] = ignored ? [0, 0] : alone ? [label, label + 1] : [0, n];
    let loss = 0;
    let slope = 0;
    for (let c = from; c < to; c++) {
      const hard = classes ? Number(c === label) : at(target, base + c * inner);
      const share = weightOf(c) * ((1 - labelSmoothing) * hard + labelSmoothing / n);
      loss += share * op.loss(at(l, c), params);
      slope += own[c] = share * op.grad(at(l, c), params);
    }
    // The logarithm of the sum of exponentials.
    const lse = zLoss === 0 ? 0 : peak - (l[top] ?? NaN);
    const joins = zLoss !== 0 && !ignored;
    if (joins) loss += zLoss * lse * lse;
    total += loss;
    if (losses && reduction === 'none') losses[row] = loss;
    const upstream = atOr(gradOutput, reduction === 'none' ? row : 0, 1) / divisor;
    for (let c = 0; c < n; c++) {
      const lc = at(l, c);
      const element = base + c * inner;
      if (gradScores) {
        // Classes that do not depend on the scores get 0, even if the upstream gradient is infinite or NaN.
        const owns = c >= from && c < to;
        const q = owns ? at(own, c) : 0;
        // q - p slope, with 1 - p computed as -expm1(l), which is accurate even where p is almost 1.
        const others = ignored || q === slope ? 0 : slope - q;
        const left = op.normalised && q !== 0 ? -Math.expm1(lc) : 1;
        const spread = op.normalised ? Math.exp(lc) * (ignored ? 0 : upstream * others) : 0;
        const more = joins ? upstream * 2 * zLoss * lse * Math.exp(lc) : 0;
        const all = (owns ? upstream * (q * left) : 0) - spread + more;
        gradScores[element] = op.tempered || margin ? all * (slopes[c] ?? NaN) : all;
      }
      if (gradProbabilities) {
        gradProbabilities[element] =
          upstream * ((1 - labelSmoothing) * weightOf(c) * op.loss(lc, params));
      }
    }
  });
  if (losses && reduction !== 'none') losses[0] = total / divisor;
}

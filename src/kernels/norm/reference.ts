// Norms in float64, a row at a time. The backward direction computes anew what it needs of a row: what was kept is rounded.
import { fromHalf, toHalf, type NumericArray } from '../../core/dtype.ts';
import {
  byRow,
  KEPT,
  operandInputs,
  operandOutputs,
  type NormArgs,
  type NormLayout,
  type NormRows,
} from './args.ts';

export function computeNorm(
  args: NormArgs,
  inputs: readonly NumericArray[],
  outputs: readonly NumericArray[],
): void {
  const { op, layout, eps, channels, given = false } = args;
  const { n } = layout;
  const [input] = inputs;
  if (!input) return;
  const x = new Float64Array(n);
  const places = operandInputs(args);
  // Elements of a row, and of each the element of an operand.
  const elements = placesOf(layout);
  const own = new Int32Array(n);
  const rowOf = (): NormRows => ({
    x,
    ...Object.fromEntries(op.operands.map(({ name }) => [name, new Float64Array(n)])),
  });
  const rows = rowOf();
  // Of a row of one channel, what its gradient is multiplied by comes last, as in PyTorch: an infinite weight gives infinities.
  const last = byRow(args) && args.direction === 'backward';
  let factor = 1;
  const begin = (r: number): void => {
    for (let i = 0; i < n; i++) own[i] = channelOf(args, r, i);
    factor = 1;
    op.operands.forEach(({ name, absent, saved }, k) => {
      const given = inputs[places[k] ?? -1];
      if (last && saved && given) factor *= given[own[0] ?? -1] ?? NaN;
      const from = last ? undefined : given;
      own.forEach((c, i) => {
        const to = rows[name];
        if (to) to[i] = from ? (from[c] ?? NaN) : absent;
      });
    });
  };
  const gather = (from: NumericArray, base: number, to: Float64Array): void => {
    for (let i = 0; i < n; i++) to[i] = from[base + (elements[i] ?? 0)] ?? NaN;
  };
  const scatter = (from: Float64Array, to: NumericArray, base: number): void => {
    for (let i = 0; i < n; i++) to[base + (elements[i] ?? 0)] = from[i] ?? NaN;
  };
  if (args.direction === 'forward') {
    const { keeps, moments = false, adds } = args;
    // As it is stored: the sum is rounded, and that is what is normalised.
    const round = adds === 'float16' ? (v: number) => fromHalf(toHalf(v)) : Math.fround;
    const residual = new Float64Array(n);
    const y = new Float64Array(n);
    const [result] = outputs;
    const [mean, variance] = moments ? outputs.slice(1 + Number(keeps)) : [];
    forEachStart(layout, (base, r) => {
      gather(input, base, x);
      const [, other] = inputs;
      if (adds && other) {
        gather(other, base, residual);
        for (let i = 0; i < n; i++) x[i] = round((x[i] ?? NaN) + (residual[i] ?? NaN));
        if (outputs[1]) scatter(x, outputs[1], base);
      }
      if (r === 0 || channels) begin(r);
      if (given) {
        const statistics = [inputs[1]?.[r] ?? NaN, inputs[2]?.[r] ?? NaN] as const;
        scaleGiven(rows, statistics, eps, y);
        if (keeps) outputs[1]?.set(statistics, r * KEPT);
      } else op.forward(rows, eps, y);
      if (result) scatter(y, result, base);
      if (!mean || !variance) return;
      const own = momentsOf(x);
      mean[r] = own.mean;
      variance[r] = (own.square / n) * (n / (n - 1));
    });
    return;
  }
  const upstream = inputs.at(-1) ?? input;
  const gradOutput = new Float64Array(n);
  const grads: NormRows = { ...rowOf(), x: new Float64Array(n) };
  const gradX = args.wants.x ? outputs[0] : undefined;
  const targets = operandOutputs(args).map((index) => outputs[index]);
  // Of channels the sums go to an element of their own.
  const sums = targets.map((target) => new Float64Array(target?.length ?? 0));
  forEachStart(layout, (base, r) => {
    gather(input, base, x);
    gather(upstream, base, gradOutput);
    if (r === 0 || channels) begin(r);
    for (const { name } of op.operands) grads[name]?.fill(0);
    if (given) {
      const kept = inputs[1]?.subarray(r * KEPT, r * KEPT + 2) ?? [];
      slopeGiven(rows, [kept[0] ?? NaN, kept[1] ?? NaN], eps, gradOutput, grads);
    } else op.backward(rows, eps, gradOutput, grads);
    if (factor !== 1) grads.x.forEach((g, i, all) => (all[i] = g * factor));
    if (gradX) scatter(grads.x, gradX, base);
    op.operands.forEach(({ name }, k) => {
      const [total, more] = [sums[k], grads[name]];
      if (total && total.length > 0)
        own.forEach((c, i) => (total[c] = (total[c] ?? 0) + (more?.[i] ?? 0)));
    });
  });
  targets.forEach((target, k) => target?.set(sums[k] ?? []));
}

/** Where the elements of a row are, from its first. */
function placesOf({ outer, n, inner, span }: NormLayout): Int32Array {
  const gap = (outer - 1) * span;
  return Int32Array.from({ length: n }, (_, i) =>
    span < n ? i + Math.floor(i / span) * gap : i * inner,
  );
}

function forEachStart(
  { outer, n, inner, span }: NormLayout,
  visit: (base: number, row: number) => void,
): void {
  if (n === 0) return;
  for (let r = 0; r < outer * inner; r++)
    visit(span < n ? r * span : Math.floor(r / inner) * n * inner + (r % inner), r);
}

/** The element of an operand that goes with element i of row r. */
function channelOf({ channels }: NormArgs, r: number, i: number): number {
  if (!channels) return i;
  const { groups, each, span } = channels;
  return (r % groups) * each + (each === 1 ? 0 : Math.floor(i / span));
}

/** The mean of a row, corrected once as sums of float64 round too, and the sum of squared deviations. */
function momentsOf(x: Float64Array): { mean: number; square: number } {
  const about = x.reduce((sum, v) => sum + v, 0) / x.length;
  const rest = x.reduce((sum, v) => sum + (v - about), 0) / x.length;
  const mean = Number.isFinite(about) ? about + rest : about;
  return { mean, square: x.reduce((sum, v) => sum + (v - mean) ** 2, 0) };
}

type Statistics = readonly [mean: number, variance: number];

/** (x - mean) / sqrt(variance + eps) · weight + bias, of a given mean and variance. */
function scaleGiven(
  rows: NormRows,
  [mean, variance]: Statistics,
  eps: number,
  y: Float64Array,
): void {
  const factor = 1 / Math.sqrt(variance + eps);
  rows.x.forEach((v, i) => {
    y[i] = (v - mean) * factor * (rows.weight?.[i] ?? 1) + (rows.bias?.[i] ?? 0);
  });
}

function slopeGiven(
  rows: NormRows,
  [mean, variance]: Statistics,
  eps: number,
  gradOutput: Float64Array,
  grads: NormRows,
): void {
  const factor = 1 / Math.sqrt(variance + eps);
  gradOutput.forEach((g, i) => {
    grads.x[i] = g * factor * (rows.weight?.[i] ?? 1);
    if (grads.weight) grads.weight[i] = g * ((rows.x[i] ?? NaN) - mean) * factor;
    if (grads.bias) grads.bias[i] = g;
  });
}

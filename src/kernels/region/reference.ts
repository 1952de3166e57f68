// The float64 loop of region losses: sums of each class, their losses and slopes, and gradients.
import type { NumericArray } from '../../core/dtype.ts';
import { at } from '../../cpu/rows.ts';
import { scaleOf, type RegionLossArgs, type RegionScore } from './args.ts';

/** tp, fp, fn, and the sum of the target. */
type Sums = [tp: number, fp: number, fn: number, truth: number];

/** The loss of a class, and its derivative by a prediction that is less than its target, and one that is more. */
export function concludeOf(
  [tp, fp, fn, truth]: Readonly<Sums>,
  { alpha, beta, gamma, smooth, eps, logLoss }: RegionScore,
): [loss: number, less: number, more: number] {
  if (truth === 0) return [0, 0, 0];
  const missed = alpha * fp + beta * fn;
  const hit = tp + smooth;
  const clamped = hit + missed < eps;
  const size = clamped ? eps : hit + missed;
  let loss = (clamped ? eps - hit : missed) / size;
  let less = -(clamped ? size : missed + beta * hit) / size / size;
  let more = clamped ? 0 : (alpha * hit) / size / size;
  if (logLoss) {
    const score = hit / size;
    const low = score < eps;
    const kept = low ? eps : score;
    loss = loss < 0.5 ? -Math.log1p(-loss) : -Math.log(kept);
    less = low ? 0 : less / kept;
    more = low ? 0 : more / kept;
  }
  if (gamma !== 1) {
    const factor = loss === 0 ? 0 : gamma * loss ** (gamma - 1);
    loss **= gamma;
    less *= factor;
    more *= factor;
  }
  return [loss, less, more];
}

/** A prediction with what it lacks of 1, its target, and by how much it is more than that. */
interface Pixel {
  readonly p: number;
  readonly rest: number;
  readonly y: number;
  readonly excess: number;
}

/** Calls `visit` for every position that is not ignored: where its classes begin, and the pixel of each. */
function forEachPosition(
  { layout, activation, labels, ignoreIndex }: RegionLossArgs,
  input: NumericArray,
  target: NumericArray,
  visit: (base: number, pixels: readonly (Pixel | null)[]) => void,
): void {
  const { outer, n, inner } = layout;
  for (let j = 0; j < outer * inner; j++) {
    const base = Math.floor(j / inner) * n * inner + (j % inner);
    const label = labels ? at(target, j) : -1;
    if (labels && label === ignoreIndex) continue;
    const x = Array.from({ length: n }, (_, c) => at(input, base + c * inner));
    let most = -Infinity;
    for (const value of x) if (!(value <= most)) most = value;
    const e = x.map((value) => Math.exp(value - most));
    let others = 0;
    e.forEach((value, c) => {
      if (c !== label) others += value;
    });
    const sum = others + (e[label] ?? 0);
    const pixels = x.map((value, c) => {
      const y = labels ? Number(c === label) : at(target, base + c * inner);
      if (!labels && y === ignoreIndex) return null;
      let [p, rest] = [value, 1 - value];
      if (activation === 'sigmoid') {
        p = 1 / (1 + Math.exp(-value));
        rest = 1 / (1 + Math.exp(value));
      } else if (activation === 'softmax') {
        p = (e[c] ?? NaN) / sum;
        rest = c === label ? others / sum : 1 - p;
      }
      return { p, rest, y, excess: p > 0.5 && y > 0.5 ? 1 - y - rest : p - y };
    });
    visit(base, pixels);
  }
}

export function regionReference(
  args: RegionLossArgs,
  inputs: readonly NumericArray[],
  outputs: readonly NumericArray[],
): void {
  const { layout, activation, reduction, score, backward } = args;
  const { n, inner } = layout;
  const [input, target, saved, gradOutput] = inputs;
  if (!input || !target) return;
  const [loss, kept, fused] = backward ? [] : outputs;
  const grad = backward ? outputs[0] : fused;
  const slopes = new Float64Array(2 * n);
  if (saved) slopes.set(saved);
  else {
    const sums = Array.from({ length: n }, (): Sums => [0, 0, 0, 0]);
    forEachPosition(args, input, target, (_, pixels) => {
      pixels.forEach((pixel, c) => {
        const own = sums[c];
        if (!pixel || !own) return;
        const { p, y, excess } = pixel;
        // Also NaN where either is.
        own[0] += Math.min(p, y);
        own[1] += Math.max(excess, 0);
        own[2] += Math.max(-excess, 0);
        own[3] += y;
      });
    });
    let total = 0;
    sums.forEach((own, c) => {
      const [value, less, more] = concludeOf(own, score);
      slopes.set([less, more], 2 * c);
      total += value;
      if (loss && reduction === 'none') loss[c] = value;
    });
    if (loss && reduction !== 'none') loss[0] = reduction === 'mean' ? total / n : total;
    slopes.forEach((value, i) => {
      if (kept) kept[i] = value;
    });
  }
  if (!grad) return;
  grad.fill(0);
  const scale = scaleOf(args);
  forEachPosition(args, input, target, (base, pixels) => {
    const h = pixels.map((pixel, c) => {
      if (!pixel) return 0;
      const [less, more] = [at(slopes, 2 * c), at(slopes, 2 * c + 1)];
      const upstream = gradOutput ? at(gradOutput, reduction === 'none' ? c : 0) : 1;
      const { excess } = pixel;
      return upstream * scale * (excess < 0 ? less : excess > 0 ? more : 0.5 * (less + more));
    });
    pixels.forEach((pixel, c) => {
      if (!pixel) return;
      const own = h[c] ?? NaN;
      const { p, rest } = pixel;
      let value = own;
      if (activation === 'sigmoid') value = own * p * rest;
      if (activation === 'softmax') {
        let others = 0;
        pixels.forEach((other, k) => {
          if (k !== c) others += (other?.p ?? 0) * (h[k] ?? NaN);
        });
        value = p * (own * rest - others);
      }
      grad[base + c * inner] = value;
    });
  });
}

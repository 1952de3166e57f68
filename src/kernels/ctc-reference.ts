// In: log-probabilities, labels and lengths. Out: CTC losses and gradients by the forward-backward algorithm in float64.
import type { NumericArray } from '../dtype.ts';
import type { CtcArgs } from './ctc-args.ts';

/** Labels of one batch element with blanks between and round them: the states of the lattice. */
interface Sequence {
  readonly steps: number;
  readonly states: readonly number[];
}

function logSum(...terms: number[]): number {
  const peak = terms.reduce((a, b) => Math.max(a, b), -Infinity);
  if (peak === -Infinity) return -Infinity;
  return peak + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - peak), 0));
}

export function ctcReference(
  args: CtcArgs,
  inputs: readonly NumericArray[],
  outputs: readonly NumericArray[],
): void {
  const { batch, classes, zeroInfinity, reduction } = args;
  const [logProbs, targets, inputLengths, targetLengths] = inputs;
  if (!logProbs || !targets || !inputLengths || !targetLengths) return;
  const gradOutput = args.gradOutput ? inputs[4] : undefined;
  const loss = args.outputs.loss ? outputs[0] : undefined;
  const grad = args.outputs.grad ? outputs.at(-1) : undefined;
  let offset = 0;
  let total = 0;
  for (let n = 0; n < batch; n++) {
    const labels = targetLengths[n] ?? 0;
    const at = args.stride > 0 ? n * args.stride : offset;
    offset += labels;
    const own = [...targets.subarray(at, at + labels)];
    const sequence: Sequence = {
      steps: inputLengths[n] ?? 0,
      states: [args.blank, ...own.flatMap((label) => [label, args.blank])],
    };
    const logProb = (t: number, c: number): number =>
      logProbs[(t * batch + n) * classes + c] ?? NaN;
    const forward = variables(sequence, logProb);
    const likelihood = likelihoodOf(sequence, forward);
    const value = zeroInfinity && likelihood === -Infinity ? 0 : -likelihood;
    const divisor = reduction === 'mean' ? Math.max(labels, 1) : 1;
    total += value / divisor;
    if (loss && reduction === 'none') loss[n] = value;
    if (!grad) continue;
    const upstream = gradOutput ? (gradOutput[reduction === 'none' ? n : 0] ?? NaN) : 1;
    const g = upstream / (reduction === 'mean' ? batch * divisor : 1);
    writeGradient(args, n, g, sequence, likelihood, forward, logProb, grad);
  }
  if (loss && reduction !== 'none') loss[0] = reduction === 'mean' ? total / batch : total;
}

/** ln of the probability of all beginnings that end in state s at step t; no rows where there is no path. */
function variables(
  { steps, states }: Sequence,
  logProb: (t: number, c: number) => number,
): Float64Array[] {
  if ((states.length - 1) / 2 > steps) return [];
  const rows: Float64Array[] = [];
  for (let t = 0; t < steps; t++) {
    const before = rows[t - 1];
    const row = new Float64Array(states.length);
    for (const [s, c] of states.entries()) {
      if (!before) {
        row[s] = s < 2 ? logProb(t, c) : -Infinity;
        continue;
      }
      const terms = [before[s] ?? NaN];
      if (s > 0) terms.push(before[s - 1] ?? NaN);
      // A label may follow another without a blank.
      if (s > 1 && s % 2 === 1 && states[s - 2] !== c) terms.push(before[s - 2] ?? NaN);
      row[s] = logSum(...terms) + logProb(t, c);
    }
    rows.push(row);
  }
  return rows;
}

function likelihoodOf({ steps, states }: Sequence, forward: readonly Float64Array[]): number {
  if (steps === 0) return states.length === 1 ? 0 : -Infinity;
  const last = forward.at(-1);
  if (!last) return -Infinity;
  return logSum(...last.slice(-2));
}

function writeGradient(
  { batch, classes, zeroInfinity }: CtcArgs,
  n: number,
  g: number,
  { steps, states }: Sequence,
  likelihood: number,
  forward: readonly Float64Array[],
  logProb: (t: number, c: number) => number,
  grad: NumericArray,
): void {
  const all = grad.length / (batch * classes);
  const set = (t: number, c: number, value: number): void => {
    grad[(t * batch + n) * classes + c] = value;
  };
  // The backward variables are the forward ones of the reversed sequence.
  const reversed = { steps, states: [...states].reverse() };
  const backward = variables(reversed, (t, c) => logProb(steps - 1 - t, c));
  const posterior = new Float64Array(classes);
  for (let t = 0; t < all; t++) {
    const flat = t >= steps || (zeroInfinity && likelihood === -Infinity);
    posterior.fill(likelihood > -Infinity ? 0 : NaN);
    if (!flat) {
      for (const [s, c] of states.entries()) {
        const both =
          (forward[t]?.[s] ?? -Infinity) +
          (backward[steps - 1 - t]?.[states.length - 1 - s] ?? -Infinity);
        if (both === -Infinity) continue;
        posterior[c] = (posterior[c] ?? 0) + Math.exp(both - logProb(t, c) - likelihood);
      }
    }
    for (let c = 0; c < classes; c++) {
      const l = logProb(t, c);
      // PyTorch divides by the probability: a class whose is 0 has no gradient.
      const share = l === -Infinity ? NaN : (posterior[c] ?? NaN);
      set(t, c, flat ? 0 : (Math.exp(l) - share) * g);
    }
  }
}

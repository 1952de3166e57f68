// The float64 loop of the CTC loss and its gradient: the forward-backward algorithm.
import type { NumericArray } from '../../core/dtype.ts';
import { addTo, at, atOr } from '../../cpu/rows.ts';
import type { CtcArgs } from './args.ts';

/** The states of the lattice: the labels of one batch element, with a blank before, between and after them. */
interface Sequence {
  readonly steps: number;
  readonly states: readonly number[];
}

function logSum(...terms: number[]): number {
  const max = terms.reduce((a, b) => Math.max(a, b), -Infinity);
  if (max === -Infinity) return -Infinity;
  return max + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - max), 0));
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
    const first = args.stride > 0 ? n * args.stride : offset;
    offset += labels;
    const own = [...targets.subarray(first, first + labels)];
    const sequence: Sequence = {
      steps: inputLengths[n] ?? 0,
      states: [args.blank, ...own.flatMap((label) => [label, args.blank])],
    };
    const logProb = (t: number, c: number): number => at(logProbs, (t * batch + n) * classes + c);
    const forward = variables(sequence, logProb);
    const { likelihood } = forward;
    const value = zeroInfinity && likelihood === -Infinity ? 0 : -likelihood;
    const divisor = reduction === 'mean' ? Math.max(labels, 1) : 1;
    total += value / divisor;
    if (loss && reduction === 'none') loss[n] = value;
    if (!grad) continue;
    const upstream = atOr(gradOutput, reduction === 'none' ? n : 0, 1);
    const g = upstream / (reduction === 'mean' ? batch * divisor : 1);
    writeGradient(args, n, g, sequence, forward, logProb, grad);
  }
  if (loss && reduction !== 'none') loss[0] = reduction === 'mean' ? total / batch : total;
}

/** The forward or backward variables of one sequence. */
interface Lattice {
  /**
   * ln of the probability of all path prefixes that end in state s at step t, minus a constant per step. Empty if
   * there is no path.
   */
  readonly rows: readonly Float64Array[];
  /** The log-probability of each state's class, minus a constant per step. */
  readonly own: readonly Float64Array[];
  /** The constants that were subtracted: from the rows up to a step, and from the step's own log-probabilities. */
  readonly shared: readonly (readonly [rows: number, own: number])[];
  /** ln of the probability of all complete paths. */
  readonly likelihood: number;
}

/**
 * Subtracts from the states of a step what they have in common and keeps it separately. Beside scores of about -1e30
 * float64 would otherwise lose all smaller numbers, and posterior probabilities would add up to more than 1.
 */
function variables(
  { steps, states }: Sequence,
  logProb: (t: number, c: number) => number,
): Lattice {
  const rows: Float64Array[] = [];
  const own: Float64Array[] = [];
  const shared: [number, number][] = [];
  const none = { rows, own, shared };
  if (steps === 0) return { ...none, likelihood: states.length === 1 ? 0 : -Infinity };
  if ((states.length - 1) / 2 > steps) return { ...none, likelihood: -Infinity };
  let sum = 0;
  for (let t = 0; t < steps; t++) {
    const before = rows[t - 1];
    const scores = Float64Array.from(states, (c) => logProb(t, c));
    const score = lessLargest(scores);
    const row = scores.map((chance, s) => {
      if (!before) return s < 2 ? chance : -Infinity;
      const terms = [at(before, s)];
      if (s > 0) terms.push(at(before, s - 1));
      // A label may follow a different label without a blank between.
      if (s > 1 && s % 2 === 1 && states[s - 2] !== states[s]) terms.push(at(before, s - 2));
      return logSum(...terms) + chance;
    });
    sum += score + lessLargest(row);
    shared.push([sum, score]);
    rows.push(row);
    own.push(scores);
  }
  return { rows, own, shared, likelihood: sum + logSum(...(rows.at(-1)?.slice(-2) ?? [])) };
}

/** Subtracts the largest element from each element, if it is finite, and returns it. */
function lessLargest(values: Float64Array): number {
  const max = values.reduce((a, b) => (b > a ? b : a), -Infinity);
  if (!Number.isFinite(max)) return 0;
  for (let i = 0; i < values.length; i++) values[i] = at(values, i) - max;
  return max;
}

function writeGradient(
  { batch, classes, zeroInfinity }: CtcArgs,
  n: number,
  g: number,
  { steps, states }: Sequence,
  { rows, own, shared, likelihood }: Lattice,
  logProb: (t: number, c: number) => number,
  grad: NumericArray,
): void {
  const all = grad.length / (batch * classes);
  const set = (t: number, c: number, value: number): void => {
    grad[(t * batch + n) * classes + c] = value;
  };
  // The backward variables are the forward variables of the reversed sequence.
  const reversed = { steps, states: [...states].reverse() };
  const backward = variables(reversed, (t, c) => logProb(steps - 1 - t, c));
  const posterior = new Float64Array(classes);
  const share = new Float64Array(states.length);
  for (let t = 0; t < all; t++) {
    const flat = t >= steps || (zeroInfinity && likelihood === -Infinity);
    posterior.fill(likelihood > -Infinity ? 0 : NaN);
    if (!flat) {
      for (const s of states.keys()) {
        const both =
          (rows[t]?.[s] ?? -Infinity) +
          (backward.rows[steps - 1 - t]?.[states.length - 1 - s] ?? -Infinity);
        share[s] = both === -Infinity ? both : both - atOr(own[t], s, NaN);
      }
      const [ahead = 0, score = 0] = shared[t] ?? [];
      const [behind = 0] = backward.shared[steps - 1 - t] ?? [];
      // If the likelihood is not NaN, a NaN belongs to a state that no complete path uses. It must not spread to the
      // others.
      const total = share.some(Number.isNaN)
        ? likelihood - (ahead + behind - score)
        : logSum(...share);
      for (const [s, c] of states.entries()) {
        addTo(posterior, c, Math.exp(at(share, s) - total));
      }
    }
    for (let c = 0; c < classes; c++) {
      const l = logProb(t, c);
      // PyTorch divides by the probability, so the gradient of a class with probability 0 is NaN.
      const path = l === -Infinity ? NaN : at(posterior, c);
      set(t, c, flat ? 0 : (Math.exp(l) - path) * g);
    }
  }
}

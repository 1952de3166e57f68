// Takes the catalog of ops, and gives the losses that teach a network what a task wants, each as a function of outputs and
// targets.
import { sigmoid, tensor, type Device, type Tensor } from 'nonlin';
import { catalog } from '../../src/catalog.ts';
import { byUse } from '../lab/order.ts';
import { breathe } from './breathe.ts';
import { formsOf, toInput, toTarget } from './forms.ts';
import { lossOf, type LossChoice, type Way } from './loss.ts';
import type { Goal } from './task.ts';

type LossFunction = (input: Tensor, target: Tensor, options: { reduction: 'mean' }) => Tensor;

/** The losses of the catalog that suit a goal; found out by using each on `device`, which should be a CPU. */
export async function findLosses(device: Device, goal: Goal = 'classes'): Promise<LossChoice[]> {
  const choices: LossChoice[] = [];
  const trial = TRIALS[goal];
  for (const entry of byUse(catalog)) {
    if (entry.kind !== 'loss') continue;
    await breathe();
    // signatures differ; one that does not take these arguments fails the trial
    const fn = entry as unknown as LossFunction;
    for (const way of waysOf(entry.op, fn, goal)) {
      if (!(await teaches(way, trial, device))) continue;
      const separable = await isSeparable(way, trial, device);
      choices.push({ op: entry.op, use: entry.docs.use ?? '', ...way, separable });
      break;
    }
  }
  return choices;
}

/** How a loss might be called for a goal, the likeliest first. */
function waysOf(op: string, fn: LossFunction, goal: Goal): Way[] {
  const options = { reduction: 'mean' } as const;
  if (goal === 'classes') {
    return formsOf(op).map((form) => ({
      target: (labels, classes, device) => toTarget(form, labels, classes, device),
      compute: (logits, target) => fn(toInput(form, logits), target, options),
    }));
  }
  const target: Way['target'] = (wanted, outputs, device) => {
    const shape = [wanted.length / outputs, outputs];
    return tensor(Float32Array.from(wanted), { shape, device });
  };
  const direct: Way = { target, compute: (outputs, numbers) => fn(outputs, numbers, options) };
  // numbers that stand for logarithms of probabilities are none to be met
  if (formsOf(op)[0]?.input === 'logProbabilities') return [];
  if (goal === 'values') return [direct];
  return [
    direct,
    { target, compute: (outputs, numbers) => fn(sigmoid(outputs), numbers, options) },
  ];
}

/** A little network output to be moved by descending a loss. */
interface Trial {
  readonly rows: number;
  readonly outputs: number;
  readonly start: readonly number[];
  readonly wanted: readonly number[];
  /** Whether descending led where it should. */
  readonly reached: (outputs: Float32Array) => boolean;
}

const ROWS = 4;

function trialOfValues(decode: (x: number) => number, wanted: readonly number[], near: number) {
  return {
    rows: ROWS,
    outputs: 1,
    start: wanted.map((_, i) => (i % 2 === 0 ? 1.2 : -1.1)),
    wanted,
    reached: (outputs: Float32Array) =>
      wanted.every((want, i) => Math.abs(decode(outputs[i] ?? NaN) - want) < near),
  };
}

const LABELS = [2, 0, 1, 2];
const CLASSES = 3;
const TRIALS: Readonly<Record<Goal, Trial>> = {
  classes: {
    rows: ROWS,
    outputs: CLASSES,
    // the true class is the least likely
    start: LABELS.flatMap((label) =>
      Array.from({ length: CLASSES }, (_, c) => (c === label ? -0.4 : 0.1 * c)),
    ),
    wanted: LABELS,
    reached: (outputs) =>
      LABELS.every((label, row) => {
        const own = outputs.subarray(row * CLASSES, (row + 1) * CLASSES);
        return own.indexOf(Math.max(...own)) === label;
      }),
  },
  values: trialOfValues((x) => x, [-0.6, 0.9, 2.2, 0.1], 0.3),
  shares: trialOfValues((x) => 1 / (1 + Math.exp(-x)), [0.2, 0.75, 0.6, 0.35], 0.08),
};

const DESCENT_STEPS = 40;
const STRIDE = 0.3;
const DECAY = 0.93;

/**
 * Whether descending the loss leads where the goal wants, with a loss that stays finite, and for classes not below 0:
 * what a loss here is for. Many tensor-taking functions would be accepted but do something else.
 */
async function teaches(way: Way, trial: Trial, device: Device): Promise<boolean> {
  const { rows, outputs, wanted, reached } = trial;
  const values = Float32Array.from(trial.start);
  try {
    for (let step = 0; step < DESCENT_STEPS; step++) {
      const at = tensor(values, { shape: [rows, outputs], device, requiresGrad: true });
      const value = lossOf(way, at, wanted);
      if (value.size !== 1) return false;
      value.backward();
      const loss = await value.item();
      const gradient = Float32Array.from((await at.grad?.data()) ?? [NaN]);
      if (!(loss >= 0 && loss < Infinity)) return false;
      const largest = Math.max(...gradient.map(Math.abs));
      // a slope of 0 or NaN leads nowhere
      if (!(largest > 0)) break;
      const stride = STRIDE * DECAY ** step;
      // each output by itself: some losses pull at the farthest one only
      gradient.forEach((g, i) => (values[i] = (values[i] ?? 0) - (stride * g) / largest));
    }
  } catch {
    // it takes other arguments: not a loss for this goal, and no fault
    return false;
  }
  return reached(values);
}

async function isSeparable(way: Way, trial: Trial, device: Device): Promise<boolean> {
  const { rows, outputs, start, wanted } = trial;
  const width = wanted.length / rows;
  const partOf = async (from: number, to: number) => {
    const values = Float32Array.from(start.slice(from * outputs, to * outputs));
    const part = tensor(values, { shape: [to - from, outputs], device });
    return lossOf(way, part, wanted.slice(from * width, to * width)).item();
  };
  const [all, first, rest] = [await partOf(0, rows), await partOf(0, 1), await partOf(1, rows)];
  return Math.abs(all - (first + (rows - 1) * rest) / rows) <= 1e-5 * (1 + Math.abs(all));
}

// In: the catalog of ops. Out: the losses that teach a classifier, each as a function of logits and labels.
import { tensor, type Device, type Tensor } from 'nonlin';
import { catalog } from '../src/catalog.ts';
import { breathe } from './breathe.ts';
import { formsOf, toInput, toTarget, type Form } from './forms.ts';

export interface LossChoice {
  readonly op: string;
  /** When to use it, for people; may be empty. */
  readonly use: string;
  /** The mean loss over a batch: logits of shape [N, classes], N labels. */
  readonly compute: (logits: Tensor, labels: ArrayLike<number>) => Tensor;
}

type LossFunction = (input: Tensor, target: Tensor, options: { reduction: 'mean' }) => Tensor;

/** The losses of the catalog that can be used here; found out by using each on `device`, which should be a CPU. */
export async function findLosses(device: Device): Promise<LossChoice[]> {
  const choices: LossChoice[] = [];
  for (const entry of catalog) {
    if (entry.kind !== 'loss') continue;
    await breathe();
    // signatures differ; one that does not take these arguments fails the test below
    const fn = entry as unknown as LossFunction;
    for (const form of formsOf(entry.op)) {
      const compute = withForm(fn, form);
      if (!(await teaches(compute, device))) continue;
      choices.push({ op: entry.op, use: entry.docs.use ?? '', compute });
      break;
    }
  }
  return choices;
}

function withForm(fn: LossFunction, form: Form): LossChoice['compute'] {
  return (logits, labels) => {
    const target = toTarget(form, labels, logits.shape[1] ?? 1, logits.device);
    return fn(toInput(form, logits), target, { reduction: 'mean' });
  };
}

const LABELS = [2, 0, 1, 2];
const CLASSES = 3;
const DESCENT_STEPS = 24;
const STRIDE = 0.15;

/**
 * Whether descending the loss from wrong logits makes the true classes the largest, with a loss that stays finite and
 * not below 0: what a loss here is for. Many tensor-taking functions would be accepted but do something else.
 */
async function teaches(compute: LossChoice['compute'], device: Device): Promise<boolean> {
  const shape = [LABELS.length, CLASSES];
  const values = Float32Array.from({ length: LABELS.length * CLASSES }, (_, i) =>
    LABELS[Math.floor(i / CLASSES)] === i % CLASSES ? -0.4 : 0.1 * (i % CLASSES),
  );
  try {
    for (let step = 0; step < DESCENT_STEPS; step++) {
      const logits = tensor(values, { shape, device, requiresGrad: true });
      const value = compute(logits, LABELS);
      if (value.size !== 1) return false;
      value.backward();
      const loss = await value.item();
      const gradient = Float32Array.from((await logits.grad?.data()) ?? [NaN]);
      if (!(loss >= 0 && loss < Infinity)) return false;
      const largest = Math.max(...gradient.map(Math.abs));
      // a slope of 0 or NaN leads nowhere
      if (!(largest > 0)) break;
      gradient.forEach((g, i) => (values[i] = (values[i] ?? 0) - (STRIDE * g) / largest));
    }
  } catch {
    // it takes other arguments: not a loss for this place, and no fault
    return false;
  }
  return LABELS.every((label, row) => {
    const own = values.subarray(row * CLASSES, (row + 1) * CLASSES);
    return own.indexOf(Math.max(...own)) === label;
  });
}

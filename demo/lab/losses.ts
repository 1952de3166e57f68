// In: the catalog's losses. Out: each as a curve: the loss and its gradient while one number of its input moves.
import { init, scope, tensor, type Device, type Tensor } from 'nonlin';
import { catalog } from '../../src/catalog.ts';
import type { Documented } from '../../src/define/op.ts';
import { places } from './functions.ts';
import type { Form } from './loss-form.ts';
import { formsOf } from './loss-forms.ts';
import { defaultsOf, optionsOf, type Option, type Values } from './options.ts';

export interface LossOp {
  readonly op: string;
  readonly docs: Documented['docs'];
  readonly accuracy: Documented['accuracy'];
  readonly options: readonly Option[];
  /** How to draw it; undefined where no form fits what it takes. */
  readonly form: Form | undefined;
  readonly call: LossFunction;
  readonly code: (values: Values) => string;
}

export type LossFunction = (...args: [...tensors: Tensor[], options: object]) => Tensor;

/** A loss and its gradient along a form's moving number. */
export interface LossCurve {
  readonly x: Float32Array;
  readonly loss: Float32Array;
  readonly gradient: Float32Array;
}

const PROBES = 9;
/** Of slopes, between a difference quotient in float32 and a gradient. */
const TOLERANCE = 0.05;

/** The losses of the catalog, each with the first form that it takes, tried out on a CPU. */
export async function findLossOps(): Promise<LossOp[]> {
  const cpu = await init({ backend: 'cpu' });
  const found: LossOp[] = [];
  for (const entry of catalog) {
    if (entry.kind !== 'loss') continue;
    const call = entry as unknown as LossFunction;
    const options = optionsOf(entry);
    const values = defaultsOf(options);
    let form: Form | undefined;
    for (const candidate of formsOf(entry.op)) {
      if (!(await fits(call, candidate, values, cpu))) continue;
      form = candidate;
      break;
    }
    const { op, docs, accuracy } = entry;
    const code = (given: Values) => codeOf(op, options, given, form);
    found.push({ op, docs, accuracy, options, form, call, code });
  }
  cpu.dispose();
  return found;
}

/** The loss while a form's number goes through `x`; `setting` is what its control is set to. */
export async function lossCurve(
  call: LossFunction,
  form: Form,
  values: Values,
  setting: number,
  x: Float32Array,
  device: Device,
): Promise<LossCurve> {
  const input = form.input(x);
  const { loss, gradient } = scope(() => {
    const moving = tensor(input.values, { shape: input.shape, device, requiresGrad: true });
    const args = form.args(moving, x.length, setting, device);
    const out = call(...args, { ...values, reduction: 'none' });
    out.backward(tensor(new Float32Array(out.size).fill(1), { shape: out.shape, device }));
    if (!moving.grad) throw new Error('no gradient');
    return { loss: out, gradient: moving.grad };
  });
  try {
    const [all, slopes] = await Promise.all([loss.data(), gradient.data()]);
    const per = all.length / x.length;
    if (!Number.isInteger(per)) throw new Error('not one loss per example');
    return {
      x,
      // of several elements of an example: their sum
      loss: x.map((_, i) => sumOf(all.subarray(i * per, (i + 1) * per))),
      gradient: x.map((at, i) => form.along(Float32Array.from(slopes), i, at)),
    };
  } finally {
    loss.dispose();
    gradient.dispose();
  }
}

const sumOf = (values: ArrayLike<number>) => Array.from(values).reduce((sum, v) => sum + v, 0);

/** Whether the loss takes the form: finite, not constant, and the gradient is the loss's slope. */
async function fits(
  call: LossFunction,
  form: Form,
  values: Values,
  device: Device,
): Promise<boolean> {
  const [from, to] = form.range;
  const middle = places(from + 0.13 * (to - from), to - 0.17 * (to - from), PROBES);
  const step = (to - from) * 1e-3;
  const at = (shift: number) => middle.map((x) => x + shift);
  try {
    const curve = (x: Float32Array) =>
      lossCurve(call, form, values, form.setting?.value ?? 0, x, device);
    const [before, now, after] = [
      await curve(at(-step)),
      await curve(middle),
      await curve(at(step)),
    ];
    if (![...now.loss, ...now.gradient].every(Number.isFinite)) return false;
    if (!now.gradient.some((slope) => slope !== 0)) return false;
    const agree = [...now.gradient].filter((slope, i) => {
      const quotient = ((after.loss[i] ?? NaN) - (before.loss[i] ?? NaN)) / (2 * step);
      return Math.abs(quotient - slope) <= TOLERANCE * (1 + Math.abs(slope));
    });
    // a kink may lie between two of the places
    return agree.length >= PROBES - 1;
  } catch {
    // it takes other arguments: the next form is tried
    return false;
  }
}

/** A line to copy. */
function codeOf(
  op: string,
  options: readonly Option[],
  values: Values,
  form: Form | undefined,
): string {
  const given = options
    .filter(({ name, value }) => (values[name] ?? value) !== value)
    .map(({ name }) => `${name}: ${JSON.stringify(values[name])}`);
  const list = given.length > 0 ? `, { ${given.join(', ')} }` : '';
  const args = form?.names.join(', ') ?? '…';
  return `import { ${op} } from 'nonlin';\n\nconst loss = ${op}(${args}${list});\nloss.backward();`;
}

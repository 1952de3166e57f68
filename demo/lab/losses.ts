// Takes the catalog's losses, and gives each as a curve: the loss and its gradient while one number of its input moves.
import { cat, init, narrow, reshape, scope, tensor, type Device, type Tensor } from 'nonlin';
import { catalog } from '../../src/catalog.ts';
import type { Documented } from '../../src/define/op.ts';
import { places } from './curve.ts';
import { extrasOf } from './loss-extras.ts';
import type { Argument, Form } from './loss-form.ts';
import { formsOf } from './loss-forms.ts';
import { byUse } from './order.ts';
import { defaultsOf, optionsOf, valuesOf, type Option, type Values } from './options.ts';

export interface LossOp {
  readonly op: string;
  readonly docs: Documented['docs'];
  readonly accuracy: Documented['accuracy'];
  /** What can be set of the loss itself. */
  readonly options: readonly Option[];
  /** How to draw it. */
  readonly form: Form;
  readonly call: LossFunction;
  /** What it is called with for values of `options`; others are ignored. */
  readonly given: (values: Values, device: Device) => object;
  readonly code: (values: Values) => string;
}

export type LossFunction = (...args: [...tensors: Argument[], options: object]) => Tensor;

/** A loss and its gradient along a form's moving number. */
export interface LossCurve {
  readonly x: Float32Array;
  readonly loss: Float32Array;
  readonly gradient: Float32Array;
}

const PROBES = 9;
/** Of slopes, between a difference quotient in float32 and a gradient. */
const TOLERANCE = 0.05;

/** The losses of the catalog in the order of use, each with the first form that it takes, tried out on a CPU. */
export async function findLossOps(): Promise<LossOp[]> {
  const cpu = await init({ backend: 'cpu' });
  const found: LossOp[] = [];
  for (const entry of byUse(catalog))
    if (entry.kind === 'loss') found.push(await lossOpOf(entry, cpu));
  cpu.dispose();
  return found;
}

async function lossOpOf(entry: Documented, cpu: Device): Promise<LossOp> {
  const { op, docs, accuracy } = entry;
  for (const form of formsOf(op)) {
    const declared = optionsOf(entry).filter(({ name }) => !form.settled?.includes(name));
    const extras = extrasOf(op);
    const loss: LossOp = {
      op,
      docs,
      accuracy,
      options: [...declared, ...extras.map(({ option }) => option)],
      form,
      call: entry as unknown as LossFunction,
      given: (values, device) => ({
        // of each example, where there is a choice
        ...(entry.reductions?.length === 0 ? {} : { reduction: 'none' }),
        ...form.given,
        ...valuesOf(declared, values),
        ...Object.fromEntries(
          extras.flatMap(({ option: { name, value }, given }) =>
            Object.entries(given(Number(values[name] ?? value), device)),
          ),
        ),
      }),
      code: (values) => codeOf(loss, values),
    };
    if (await fits(loss, cpu)) return loss;
  }
  throw new Error(`no form fits what ${op} takes: add one to loss-forms.ts`);
}

/** The loss while its form's number goes through `x`, for values of its options and of the form's setting. */
export async function lossCurve(
  { call, given, form }: LossOp,
  values: Values,
  x: Float32Array,
  device: Device,
): Promise<LossCurve> {
  const setting = settingOf(form, values);
  const input = form.input(x, setting);
  const { loss, gradient } = scope(() => {
    const moving = tensor(input.values, { shape: input.shape, device, requiresGrad: true });
    const lossOf = (examples: Tensor, count: number): Tensor =>
      call(...form.args(examples, count, setting, device, values), given(values, device));
    const each = (input.shape[0] ?? 1) / x.length;
    const out = form.apart
      ? cat(
          [...x].map((_, i) => {
            const loss = lossOf(narrow(moving, 0, i * each, each), 1);
            return reshape(loss, [loss.size]);
          }),
        )
      : lossOf(moving, x.length);
    out.backward(tensor(new Float32Array(out.size).fill(1), { shape: out.shape, device }));
    if (!moving.grad) throw new Error('no gradient');
    return { loss: out, gradient: moving.grad };
  });
  try {
    const [all, slopes] = await Promise.all([loss.data(), gradient.data()]);
    const per = all.length / x.length;
    if (!Number.isInteger(per)) throw new Error('not one loss per example');
    const grad = Float32Array.from(slopes);
    return {
      x,
      // of several elements of an example: their sum
      loss: x.map((_, i) => sumOf(all.subarray(i * per, (i + 1) * per))),
      gradient: x.map((at, i) => form.along(grad, i, at, setting)),
    };
  } finally {
    loss.dispose();
    gradient.dispose();
  }
}

export const settingOf = ({ setting }: Form, values: Values): number =>
  Number(values[setting.name] ?? setting.value);

const sumOf = (values: ArrayLike<number>) => Array.from(values).reduce((sum, v) => sum + v, 0);

/** Whether the loss takes its form: finite, not constant, and the gradient is the loss's slope. */
async function fits(loss: LossOp, device: Device): Promise<boolean> {
  const [from, to] = loss.form.range;
  const middle = places(from + 0.13 * (to - from), to - 0.17 * (to - from), PROBES);
  const step = (to - from) * 1e-3;
  const values = defaultsOf([loss.form.setting, ...loss.options]);
  const curve = (shift: number) =>
    lossCurve(
      loss,
      values,
      middle.map((x) => x + shift),
      device,
    );
  try {
    const [before, now, after] = [await curve(-step), await curve(0), await curve(step)];
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

/** Lines to copy. */
function codeOf({ op, options, form }: LossOp, values: Values): string {
  const extras = extrasOf(op);
  const given = options
    .filter(({ name, value }) => (values[name] ?? value) !== value)
    .map(({ name, value }) => {
      const now = values[name] ?? value;
      const extra = extras.find(({ option }) => option.name === name);
      return extra ? extra.code(now) : `${name}: ${JSON.stringify(now)}`;
    });
  const own = Object.entries(form.given ?? {});
  given.unshift(...own.map(([name, value]) => `${name}: ${JSON.stringify(value)}`));
  const list = given.length > 0 ? `, { ${given.join(', ')} }` : '';
  const names = [op, ...(list.includes('tensor(') ? ['tensor'] : [])].join(', ');
  return `import { ${names} } from 'nonlin';\nconst loss = ${op}(${form.names.join(', ')}${list});\nloss.backward();`;
}

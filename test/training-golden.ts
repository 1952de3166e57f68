// Golden files of training (test/golden/training.py): optimizers and schedules of PyTorch, and the same made here.
import { optim, tensor, type Device, type Tensor } from '../src/index.ts';
import { ensure, type Check } from './check.ts';
import { unpack } from './unpack.ts';

type Options = Readonly<Record<string, unknown>>;

interface OptimizerCase {
  readonly kind: 'SGD' | 'Adam' | 'AdamW' | 'RMSprop';
  readonly options: Options;
  readonly groups: readonly (readonly [members: readonly number[], options: Options])[] | null;
  readonly shapes: readonly (readonly number[])[];
  readonly start: readonly (readonly number[])[];
  readonly grads: readonly (readonly (readonly number[] | null)[])[];
  readonly expected: readonly (readonly (readonly number[])[])[];
}

export interface SchedulerSpec {
  readonly kind: string;
  readonly args: readonly unknown[];
  readonly options: Options;
}

export interface ScheduleCase {
  readonly optimizer: OptimizerCase['kind'];
  readonly options: Options;
  readonly rates: readonly number[];
  readonly schedulers: readonly SchedulerSpec[];
  readonly steps: number;
  readonly metrics: readonly number[] | null;
  readonly epochs: readonly number[] | null;
  /** Rate and momentum of each group, before the first step and after each. */
  readonly expected: readonly (readonly (readonly [number, number])[])[];
  readonly last: readonly (readonly number[])[];
}

const files = import.meta.glob<string>('./golden/training/*.json.gz', {
  query: '?inline',
  import: 'default',
});

async function casesOf<T>(name: string): Promise<readonly T[]> {
  const load = files[`./golden/training/${name}.json.gz`];
  if (!load) throw new Error(`no golden file ${name}`);
  return (JSON.parse(await unpack(await load())) as { cases: readonly T[] }).cases;
}

export const scheduleCases = (): Promise<readonly ScheduleCase[]> => casesOf('schedules');

/** PyTorch's names of options in camelCase: `weight_decay`, `T_mult`. */
export function renamed(options: Options): Record<string, unknown> {
  const rename = (name: string): string =>
    name.replace(/^T_/, 't_').replace(/_([a-z0-9])/g, (_, c: string) => c.toUpperCase());
  return Object.fromEntries(Object.entries(options).map(([name, v]) => [rename(name), v]));
}

export function makeOptimizer(
  kind: OptimizerCase['kind'],
  parameters: readonly Tensor[] | readonly object[],
  options: Options,
): optim.Optimizer {
  return Reflect.construct(optim[kind], [parameters, renamed(options)]) as optim.Optimizer;
}

/** How far off a parameter may be: its state is rounded to float32 in every step. */
const TOLERANCE = 4e-6;

async function checkCase(golden: OptimizerCase, device: Device): Promise<void> {
  const { kind, options, groups, shapes, start, grads, expected } = golden;
  const params = start.map((values, i) =>
    tensor(values, { shape: shapes[i] ?? [], device, requiresGrad: true }),
  );
  const given = groups?.map(([members, own]) => ({
    ...renamed(own),
    params: members.flatMap((i) => params[i] ?? []),
  }));
  const optimizer = makeOptimizer(kind, given ?? params, options);
  const wrong: string[] = [];
  for (const [step, all] of grads.entries()) {
    optimizer.zeroGrad();
    all.forEach((values, i) => {
      const [w] = params.slice(i);
      if (w && values) w.grad = tensor(values, { shape: w.shape, device });
    });
    optimizer.step();
    const read = await Promise.all(params.map((w) => w.data()));
    expected[step]?.forEach((values, i) => {
      values.forEach((e, k) => {
        const value = read[i]?.[k] ?? NaN;
        if (Math.abs(value - e) <= TOLERANCE * Math.max(1, Math.abs(e))) return;
        wrong.push(`step ${step + 1}, parameter ${i}[${k}] = ${value}, expected ${e}`);
      });
    });
  }
  optimizer.zeroGrad();
  optimizer.dispose();
  for (const w of params) w.dispose();
  ensure(wrong.length === 0, wrong.slice(0, 8).join('\n'));
}

/** A check for each case. */
export async function optimizerGoldenChecks(): Promise<Check<Device>[]> {
  const cases = await casesOf<OptimizerCase>('optimizers');
  return cases.map((golden) => ({
    name: `${golden.kind} ${JSON.stringify(golden.options)} ${JSON.stringify(golden.groups ?? '')}`,
    run: (device) => checkCase(golden, device),
  }));
}

// Takes the catalog's activations, and gives each as something to call with a tensor and option values.
import { init, nn, reshape, scope, tensor, type Device, type Tensor } from 'nonlin';
import { catalog } from '../../src/catalog.ts';
import type { Gated } from '../../src/define/gated.ts';
import type { Documented } from '../../src/define/op.ts';
import { classOf } from '../training/classes.ts';
import { byUse } from './order.ts';
import { numberOption, optionsOf, type Option, type Values } from './options.ts';

export type Group = 'Elementwise' | 'Gated' | 'Row-wise';

export interface FunctionOp {
  readonly op: string;
  readonly group: Group;
  readonly docs: Documented['docs'];
  readonly accuracy: Documented['accuracy'];
  readonly options: readonly Option[];
  /** Of a gated unit: which half of its input its activation is applied to. */
  readonly gate: 'first' | 'second' | undefined;
  /** Of elementwise ops any shape; of others rows of numbers, [rows, n]. On the device of `x`. */
  readonly call: (x: Tensor, values: Values) => Tensor;
  /** How it is written with other values than the defaults. */
  readonly code: (values: Values) => string;
}

const GROUPS = {
  activation: 'Elementwise',
  gated: 'Gated',
  rowwise: 'Row-wise',
  norm: 'Row-wise',
} as const;

/** What a module learns has a first value, which the catalog does not list among the options. */
const FIRST_VALUES: Readonly<Partial<Record<string, Option>>> = {
  prelu: numberOption('init', 0.25),
};

type Fn = (x: Tensor, options: object) => Tensor;

/** Ways to call an op with rows [rows, n]; the first that works is the one. */
const WAYS: readonly ((entry: Documented, x: Tensor, values: Values) => Tensor)[] = [
  (entry, x, values) => fnOf(entry)(x, values),
  (entry, x, values) => fnOf(entry)(x, { ...values, dim: -1 }),
  (entry, x, values) => normOf(entry)(x, x.shape.slice(-1), values),
  (entry, x, values) => throughModule(entry, x, { ...values, device: x.device }),
  (entry, x, values) => {
    // over channels of images: rows are images of one pixel
    const image = (y: Tensor) => reshape(y, [x.shape[0] ?? 1, x.shape[1] ?? 1, 1, 1]);
    return reshape(fnOf(entry)(image(x), values), x.shape);
  },
];

const fnOf = (entry: Documented) => entry as unknown as Fn;
const normOf = (entry: Documented) =>
  entry as unknown as (x: Tensor, normalizedShape: readonly number[], options: object) => Tensor;

function throughModule(entry: Documented, x: Tensor, options: object): Tensor {
  const Class = classOf(entry.op);
  if (!Class) throw new Error(`no module class for ${entry.op}`);
  return new Class(options).eval().forward(x);
}

/** The activations of the catalog in the order of use, tried out on a CPU: they are tiny there, and a GPU may still be asleep. */
export async function findFunctions(): Promise<FunctionOp[]> {
  const cpu = await init({ backend: 'cpu' });
  const found = byUse(catalog).flatMap((entry): FunctionOp[] => {
    // attention takes three tensors, an embedding indices
    if (entry.kind === 'loss' || entry.kind === 'embedding' || entry.kind === 'attention')
      return [];
    const first = FIRST_VALUES[entry.op];
    // which dimension is no question in a picture of one row
    const own = optionsOf(entry).filter(({ name }) => name !== 'dim');
    const options = [...own, ...(first ? [first] : [])];
    const defaults = Object.fromEntries(options.map(({ name, value }) => [name, value]));
    const way = WAYS.find((candidate) => works((x) => candidate(entry, x, defaults), cpu));
    if (!way) return [];
    return [
      {
        op: entry.op,
        group: GROUPS[entry.kind],
        docs: entry.docs,
        accuracy: entry.accuracy,
        options,
        gate: entry.kind === 'gated' ? (entry as Documented & Pick<Gated, 'gate'>).gate : undefined,
        call: (x, values) => way(entry, x, values),
        code: (values) => codeOf(entry, options, values),
      },
    ];
  });
  cpu.dispose();
  return found;
}

function works(call: (x: Tensor) => Tensor, device: Device): boolean {
  try {
    scope(() => call(tensor([[0.5, -1]], { device })));
    return true;
  } catch {
    // it takes other arguments: the next way is tried
    return false;
  }
}

/** A line to copy. */
function codeOf(entry: Documented, options: readonly Option[], values: Values): string {
  const given = options
    .filter(
      ({ name, value }) => (values[name] ?? value) !== value || entry.required?.includes(name),
    )
    .map(({ name, value }) => `${name}: ${JSON.stringify(values[name] ?? value)}`);
  if (FIRST_VALUES[entry.op]) {
    const name = Object.keys(nn).find((key) => key.toLowerCase() === entry.op.toLowerCase());
    const list = given.length > 0 ? `{ ${given.join(', ')} }` : '';
    return `import { nn } from 'nonlin';\nconst y = new nn.${name ?? entry.op}(${list}).forward(x);`;
  }
  if (entry.kind === 'rowwise' && Object.keys(entry.params).length === 0) given.push('dim: 1');
  const list = given.length > 0 ? `, { ${given.join(', ')} }` : '';
  const along = 'operands' in entry ? ', [n]' : '';
  return `import { ${entry.op} } from 'nonlin';\nconst y = ${entry.op}(x${along}${list});`;
}

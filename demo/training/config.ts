// Takes an address's parameters, and gives what to train: a task and one to three runs' settings; and back.
import type { Goal } from './task.ts';
import { OPTIMIZER_NAMES, OPTIMIZERS } from './optimizers.ts';
import {
  DEFAULTS,
  formatSizes,
  parseName,
  parseNumber,
  parseSizes,
  RANGES,
  withoutSizes,
} from './settings.ts';
import type { NumberName, Settings } from './settings.ts';

export const TASK_NAMES = ['digits', 'spirals', 'regression', 'autoencoder'] as const;
export type TaskName = (typeof TASK_NAMES)[number];

export const MOST_RUNS = 3;
/** What runs may differ in; the rest is the same for all, so that they see the same batches. */
export const VARIED = [
  'activation',
  'loss',
  'optimizer',
  'learningRate',
  'width',
  'layers',
  'clipNorm',
] as const;
export type VariedName = (typeof VARIED)[number];
export type Variation = Readonly<Partial<Record<VariedName, string>>>;

export interface Config {
  readonly task: TaskName;
  /** At least one. */
  readonly runs: readonly Settings[];
}

interface TaskInfo {
  readonly label: string;
  readonly goal: Goal;
  readonly lead: string;
  readonly settings: Settings;
  readonly variations: readonly Variation[];
  /** Configurations worth a look, as an address's parameters. */
  readonly examples: readonly { readonly label: string; readonly query: string }[];
}

export const TASKS: Readonly<Record<TaskName, TaskInfo>> = {
  digits: {
    label: 'Digits',
    goal: 'classes',
    lead: 'A multilayer perceptron learns to read handwritten digits: 8,000 of MNIST to train on, 2,000 held out.',
    settings: DEFAULTS,
    variations: [],
    examples: [
      {
        label: 'Vanishing gradients: sigmoid against relu, 6 layers',
        query: 'task=digits&activation=sigmoid&layers=6&epochs=2&vs=activation:relu',
      },
      { label: 'Squared error or cross-entropy', query: 'task=digits&vs=loss:mseLoss' },
    ],
  },
  spirals: {
    label: 'Two spirals',
    goal: 'classes',
    lead: 'Two interleaved spirals: to which of them does a point belong? The picture shows the answer everywhere.',
    settings: {
      ...DEFAULTS,
      activation: 'tanh',
      width: 32,
      layers: 3,
      batchSize: 60,
      epochs: 60,
      learningRate: 0.01,
    },
    variations: [],
    examples: [
      {
        label: 'Smooth or with corners: tanh, relu, gelu',
        query: 'task=spirals&vs=activation:relu;activation:gelu',
      },
      { label: 'One layer is too few', query: 'task=spirals&layers=1&vs=layers:4' },
    ],
  },
  regression: {
    label: 'Outliers',
    goal: 'values',
    lead: 'Points on a curve, with a little noise; one point in six is an outlier. Each loss fits its own line to the points.',
    settings: {
      ...DEFAULTS,
      activation: 'tanh',
      loss: 'mseLoss',
      width: 32,
      layers: 2,
      batchSize: 40,
      epochs: 100,
      learningRate: 0.01,
    },
    variations: [{ loss: 'l1Loss' }, { loss: 'huberLoss' }],
    examples: [
      {
        label: 'Corners or curves: relu against silu',
        query: 'task=regression&loss=l1Loss&activation=relu&vs=activation:silu',
      },
    ],
  },
  autoencoder: {
    label: 'Autoencoder',
    goal: 'shares',
    lead: 'A network compresses each digit into 16 numbers and reconstructs the digit from them.',
    settings: { ...DEFAULTS, loss: 'mseLoss', epochs: 3 },
    variations: [],
    examples: [
      {
        label: 'Two losses side by side',
        query: 'task=autoencoder&loss=binaryCrossEntropyWithLogits&vs=loss:mseLoss',
      },
    ],
  },
};

const NUMBER_NAMES = Object.keys(RANGES) as NumberName[];
const NO_VARIATIONS = 'none';

/** What can be chosen for a task. */
export interface Choices {
  readonly activations: readonly string[];
  readonly losses: readonly string[];
}

/** Reads a configuration; what is wrong with it is left at its default, and said. */
export function parseConfig(
  params: URLSearchParams,
  choices: (task: TaskName) => Choices,
): { config: Config; faults: string[] } {
  const faults: string[] = [];
  const attempt = <T>(read: () => T, otherwise: T): T => {
    try {
      return read();
    } catch (error) {
      faults.push(error instanceof Error ? error.message : String(error));
      return otherwise;
    }
  };
  const task = attempt<TaskName>(
    () => parseName(TASK_NAMES, params.get('task') ?? 'digits', 'task'),
    'digits',
  );
  const { settings: defaults, variations } = TASKS[task];
  const known = choices(task);
  const apply = (settings: Settings, get: (name: string) => string | null): Settings => {
    let now = settings;
    for (const name of ['activation', 'loss'] as const) {
      const text = get(name);
      const names = name === 'loss' ? known.losses : known.activations;
      if (text !== null)
        now = { ...now, [name]: attempt(() => parseName(names, text, name), now[name]) };
    }
    const optimizer = get('optimizer');
    if (optimizer !== null) {
      const name = attempt(() => parseName(OPTIMIZER_NAMES, optimizer, 'optimizer'), now.optimizer);
      now = { ...now, optimizer: name, learningRate: suggestedRate(task, name) };
    }
    for (const name of NUMBER_NAMES) {
      const text = get(name);
      if (text !== null)
        now = { ...now, [name]: attempt(() => parseNumber(name, text), now[name]) };
    }
    // other widths are wished for than those of a file
    if (get('width') !== null || get('layers') !== null) now = withoutSizes(now);
    const sizes = get('sizes');
    if (sizes !== null) {
      const found = attempt(() => parseSizes(sizes), undefined);
      if (found) now = { ...now, sizes: found };
    }
    return now;
  };
  const first = apply(defaults, (name) => params.get(name));
  const text = params.get('vs');
  const wanted = text === null ? variations : parseVariations(text);
  const others = wanted
    .slice(0, MOST_RUNS - 1)
    .map((variation) => apply(first, (name) => variation[name as VariedName] ?? null));
  return { config: { task, runs: [first, ...others] }, faults };
}

/** `activation:relu,layers:6;loss:mseLoss` */
function parseVariations(text: string): Variation[] {
  if (text === NO_VARIATIONS || text === '') return [];
  return text.split(';').map((run) =>
    Object.fromEntries(
      run.split(',').map((part) => {
        const [name = '', value = ''] = part.split(':');
        return [name, value];
      }),
    ),
  );
}

/** The address's parameters of a configuration; undefined for what is as by default. */
export function formatConfig({ task, runs }: Config): Record<string, string | undefined> {
  const { settings: defaults, variations } = TASKS[task];
  const [first = defaults, ...others] = runs;
  const base = { ...defaults, learningRate: suggestedRate(task, first.optimizer) };
  const entries = (Object.keys(DEFAULTS) as (keyof Settings)[]).map(
    (name): [string, string | undefined] => [
      name,
      first[name] === base[name] ? undefined : String(first[name]),
    ],
  );
  const differing = others.map((run) => variationOf(task, first, run));
  const vs = differing.map((run) => formatVariation(run)).join(';');
  const usual = variations.map((run) => formatVariation(run)).join(';');
  return {
    task: task === 'digits' ? undefined : task,
    ...Object.fromEntries(entries),
    sizes: first.sizes && formatSizes(first.sizes),
    vs: vs === usual ? undefined : vs || NO_VARIATIONS,
  };
}

export function sameConfig(one: Config, other: Config): boolean {
  return JSON.stringify(formatConfig(one)) === JSON.stringify(formatConfig(other));
}

function variationOf(task: TaskName, first: Settings, run: Settings): Variation {
  const rate =
    run.optimizer === first.optimizer ? first.learningRate : suggestedRate(task, run.optimizer);
  const base = { ...first, learningRate: rate };
  // as wide and deep as the first one would be if it were not from a file
  const own = (name: string) =>
    first.sizes && !run.sizes && (name === 'width' || name === 'layers');
  const names = VARIED.filter((name) => run[name] !== base[name] || own(name));
  // a run that differs in nothing is still a run
  const shown = names.length > 0 ? names : (['activation'] as const);
  return Object.fromEntries(shown.map((name) => [name, String(run[name])]));
}

const formatVariation = (variation: Variation): string =>
  Object.entries(variation)
    .map(([name, value]) => `${name}:${value}`)
    .join(',');

/** Each optimizer wants another learning rate. */
export function suggestedRate(task: TaskName, optimizer: Settings['optimizer']): number {
  const { settings } = TASKS[task];
  return optimizer === settings.optimizer
    ? settings.learningRate
    : OPTIMIZERS[optimizer].learningRate;
}

/** What sets a run apart from the others, in words. */
export function describeRun(runs: readonly Settings[], index: number): string {
  const run = runs[index];
  if (!run) return '';
  const names = VARIED.filter((name) => runs.some((other) => other[name] !== run[name]));
  if (names.length === 0) return [run.activation, run.loss].join(', ');
  const words = names.map((name) => {
    const value = run[name];
    if (name === 'learningRate') return `rate ${value}`;
    if (name === 'clipNorm') return value === 0 ? 'not clipped' : `clipped at ${value}`;
    return name === 'width' || name === 'layers'
      ? `${name} ${value}`
      : name === 'optimizer'
        ? OPTIMIZERS[run.optimizer].label
        : String(value);
  });
  return words.join(', ');
}

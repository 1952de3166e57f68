// Takes the arguments of `npm run digits`, and gives what they ask for, or a SettingError that says what is wrong.
import { parseArgs } from 'node:util';
import { BACKENDS, type Backend } from '../shell/devices.ts';
import { TRAINING } from '../training/digits.ts';
import { messageOf } from '../training/format.ts';
import { OPTIMIZER_NAMES, OPTIMIZERS } from '../training/optimizers.ts';
import { DEFAULTS, parseName, parseNumber, SettingError } from '../training/settings.ts';
import type { NumberName, Settings } from '../training/settings.ts';

export interface CommandLine {
  readonly settings: Settings;
  readonly backend: Backend;
  /** So many training digits at most. */
  readonly limit: number;
  readonly json: boolean;
  /** Where the trained network is written to. */
  readonly save: string | undefined;
  readonly dtype: 'float32' | 'float16';
  readonly help: boolean;
}

const OPTIONS = {
  activation: { type: 'string' },
  loss: { type: 'string' },
  optimizer: { type: 'string' },
  lr: { type: 'string' },
  width: { type: 'string' },
  layers: { type: 'string' },
  clip: { type: 'string' },
  batch: { type: 'string' },
  epochs: { type: 'string' },
  seed: { type: 'string' },
  limit: { type: 'string' },
  backend: { type: 'string' },
  save: { type: 'string' },
  dtype: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

export const HELP = `Trains a multi-layer perceptron on 8,000 handwritten digits and tests it on 2,000 others.

npm run digits -- [options]

  --activation NAME   default ${DEFAULTS.activation}; names below
  --loss NAME         default ${DEFAULTS.loss}; names below
  --optimizer NAME    ${OPTIMIZER_NAMES.join(', ')}; default ${DEFAULTS.optimizer}
  --lr NUMBER         learning rate; default depends on the optimizer
  --width NUMBER      units of a hidden layer; default ${DEFAULTS.width}
  --layers NUMBER     hidden layers; default ${DEFAULTS.layers}
  --clip NUMBER       the gradients' largest norm, all together; default 0: any
  --batch NUMBER      digits per step; default ${DEFAULTS.batchSize}
  --epochs NUMBER     times through the digits; default ${DEFAULTS.epochs}
  --seed NUMBER       default ${DEFAULTS.seed}
  --limit NUMBER      train on so many digits only (and test on a quarter as many)
  --backend NAME      ${BACKENDS.join(', ')}; default auto: a hardware GPU, else the CPU
  --save FILE         the trained network as safetensors; the page loads it
  --dtype NAME        of the file: float32, or float16 for half the bytes; default float32
  --json              one JSON object on stdout (npm run --silent keeps npm's own lines out)
  --help`;

export function parseCommandLine(args: readonly string[]): CommandLine {
  const values = parse(args);
  const number = (
    option: 'lr' | 'width' | 'layers' | 'clip' | 'batch' | 'epochs' | 'seed',
    name: NumberName,
    otherwise: number,
  ) => {
    const text = values[option];
    return text === undefined ? otherwise : parseNumber(name, text, `--${option}`);
  };
  const optimizer = parseName(
    OPTIMIZER_NAMES,
    values.optimizer ?? DEFAULTS.optimizer,
    '--optimizer',
  );
  return {
    settings: {
      activation: values.activation ?? DEFAULTS.activation,
      loss: values.loss ?? DEFAULTS.loss,
      optimizer,
      learningRate: number('lr', 'learningRate', OPTIMIZERS[optimizer].learningRate),
      width: number('width', 'width', DEFAULTS.width),
      layers: number('layers', 'layers', DEFAULTS.layers),
      clipNorm: number('clip', 'clipNorm', DEFAULTS.clipNorm),
      batchSize: number('batch', 'batchSize', DEFAULTS.batchSize),
      epochs: number('epochs', 'epochs', DEFAULTS.epochs),
      seed: number('seed', 'seed', DEFAULTS.seed),
    },
    backend: parseName(BACKENDS, values.backend ?? 'auto', '--backend'),
    limit: values.limit === undefined ? TRAINING : parseLimit(values.limit),
    save: values.save,
    dtype: parseName(['float32', 'float16'] as const, values.dtype ?? 'float32', '--dtype'),
    json: values.json ?? false,
    help: values.help ?? false,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true }).values;
  } catch (error) {
    throw new SettingError(messageOf(error), { cause: error });
  }
}

function parseLimit(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > TRAINING) {
    throw new SettingError(`--limit: expected a whole number from 1 to ${TRAINING}, got "${text}"`);
  }
  return value;
}

// Takes nothing, or values as text (a form, a query, a command line), and gives checked settings of one training run.
import { OPTIMIZERS, type OptimizerName } from './optimizers.ts';

/** Everything that decides a training run; the same settings on the same device give the same run. */
export interface Settings {
  /** Names of ops in the catalog. */
  readonly activation: string;
  readonly loss: string;
  readonly optimizer: OptimizerName;
  readonly learningRate: number;
  /** Units of each hidden layer. */
  readonly width: number;
  /** Hidden layers. */
  readonly layers: number;
  /** Units of each hidden layer, in place of `width` and `layers`: those of a network from another program's file. */
  readonly sizes?: readonly number[];
  /** Gradients are scaled down so that their norm, of all together, is at most this; 0: they stay as they are. */
  readonly clipNorm: number;
  readonly batchSize: number;
  readonly epochs: number;
  readonly seed: number;
}

/** The settings that are numbers. */
export type NumberName = {
  [K in keyof Settings]-?: Settings[K] extends number ? K : never;
}[keyof Settings];

interface Range {
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly integer: boolean;
}

export const RANGES: Readonly<Record<NumberName, Range>> = {
  learningRate: { label: 'Learning rate', min: 1e-6, max: 10, integer: false },
  // wider and eight layers deep, an example would hold up the page on the CPU path
  width: { label: 'Width', min: 2, max: 384, integer: true },
  layers: { label: 'Hidden layers', min: 1, max: 8, integer: true },
  clipNorm: { label: 'Clip norm (0: off)', min: 0, max: 1000, integer: false },
  batchSize: { label: 'Batch size', min: 1, max: 2000, integer: true },
  epochs: { label: 'Epochs', min: 1, max: 1000, integer: true },
  seed: { label: 'Seed', min: 0, max: 2 ** 31 - 1, integer: true },
};

export const DEFAULTS: Settings = {
  activation: 'relu',
  loss: 'crossEntropy',
  optimizer: 'adam',
  learningRate: OPTIMIZERS.adam.learningRate,
  width: 128,
  layers: 1,
  clipNorm: 0,
  batchSize: 64,
  epochs: 5,
  seed: 1,
};

/** A setting that cannot be used; the message names it, what is expected and what came. */
export class SettingError extends Error {
  override readonly name = 'SettingError';
}

/** A number of the range of setting `name`; `label` is what the person knows it by. */
export function parseNumber(name: NumberName, text: string, label = RANGES[name].label): number {
  const { min, max, integer } = RANGES[name];
  const value = text.trim() === '' ? NaN : Number(text);
  if (!(value >= min && value <= max) || (integer && !Number.isInteger(value))) {
    const kind = integer ? 'a whole number' : 'a number';
    throw new SettingError(`${label}: expected ${kind} from ${min} to ${max}, got "${text}"`);
  }
  return value;
}

/** Units of a hidden layer of a network from a file, and all of its weights together: more would hold up the page. */
const MOST_UNITS = 2048;
export const MOST_WEIGHTS = 2e6;
const NO_SIZES = 'none';

/** Units of each hidden layer, as `256-64`. */
export function parseSizes(text: string): number[] {
  const sizes = text === NO_SIZES ? [] : text.split('-').map(Number);
  if (!sizes.every((size) => Number.isInteger(size) && size >= 1 && size <= MOST_UNITS)) {
    throw new SettingError(
      `Hidden layers: expected whole numbers from 1 to ${MOST_UNITS} with - between them, got "${text}"`,
    );
  }
  return sizes;
}

export const formatSizes = (sizes: readonly number[]): string => sizes.join('-') || NO_SIZES;

/** Settings whose hidden layers are all of one width again. */
export function withoutSizes({ sizes: _, ...rest }: Settings): Settings {
  return rest;
}

/** One of `names`. */
export function parseName<N extends string>(names: readonly N[], text: string, label: string): N {
  const name = names.find((candidate) => candidate.toLowerCase() === text.trim().toLowerCase());
  if (name === undefined) {
    throw new SettingError(`${label}: expected one of ${names.join(', ')}, got "${text}"`);
  }
  return name;
}

// Takes the page's address, what the adapter is, and gives what a run is to be: the model's size, its parts, how long it learns.
import type { Device } from 'nonlin';
import { isSoftware } from '../../../src/init.ts';
import {
  ACTIVATIONS,
  DEFAULTS,
  NORMS,
  type GptConfig,
  type WriterSettings,
} from '../../writing/config.ts';

export const SIZE_NAMES = ['tiny', 'small', 'medium', 'large'] as const;
export type SizeName = (typeof SIZE_NAMES)[number];

type Shape = Pick<GptConfig, 'context' | 'layers' | 'width' | 'heads'>;
type Pace = Pick<WriterSettings, 'batchSize' | 'learningRate' | 'testEvery' | 'steps'>;

/** What each size is. A smaller one takes larger steps: it has more of them to take in the same time. */
export const SIZES: Readonly<Record<SizeName, Shape & Pace>> = {
  tiny: {
    ...{ layers: 2, width: 32, heads: 2, context: 32 },
    ...{ batchSize: 8, learningRate: 4e-3, steps: 2000, testEvery: 50 },
  },
  small: {
    ...{ layers: 2, width: 64, heads: 4, context: 48 },
    ...{ batchSize: 8, learningRate: 3e-3, steps: 2000, testEvery: 50 },
  },
  medium: {
    ...{ layers: 4, width: 128, heads: 4, context: 64 },
    ...{ batchSize: 16, learningRate: 1e-3, steps: 3000, testEvery: 100 },
  },
  large: {
    ...{ layers: 6, width: 256, heads: 8, context: 128 },
    ...{ batchSize: 32, learningRate: 1e-3, steps: 5000, testEvery: 200 },
  },
};

/** Texts that come with the page, with what is usually written on from. */
export const TEXTS = {
  moby: { label: 'Moby Dick', file: 'moby-dick.txt.gz', prompt: 'Call me ' },
  names: { label: 'Names', file: 'names.txt.gz', prompt: '' },
} as const;
export type TextName = keyof typeof TEXTS;
export const TEXT_NAMES = ['moby', 'names'] as const satisfies readonly TextName[];

/** What is written on from: that of the text, unless the person has set another. */
export function promptFor(text: TextName | 'own', prompt: string): string {
  const usual = TEXT_NAMES.some((name) => TEXTS[name].prompt === prompt);
  return text !== 'own' && usual ? TEXTS[text].prompt : prompt;
}

/** What an adapter is: a program on the CPU is some hundred times as slow as hardware. */
export type Kind = 'cpu' | 'software' | 'hardware';

export function kindOf({ type, gpuDevice }: Device): Kind {
  if (type === 'cpu' || !gpuDevice) return 'cpu';
  return isSoftware(gpuDevice.adapterInfo) ? 'software' : 'hardware';
}

/** The size that writes words after a minute or two. */
const FITTING: Readonly<Record<Kind, SizeName>> = {
  cpu: 'tiny',
  software: 'tiny',
  hardware: 'medium',
};

export interface Choice {
  readonly size: SizeName;
  readonly activation: GptConfig['activation'];
  readonly norm: GptConfig['norm'];
  readonly steps: number;
  readonly seed: number;
}

export const MOST_STEPS = 100_000;
export const MOST_SEED = 999_999;

/** What the address says; the rest fits the adapter. `faults` say what of the address cannot be. */
export function parseChoice(
  params: URLSearchParams,
  kind: Kind,
): {
  readonly choice: Choice;
  /** Undefined where the address names none: the usual one, or one's own, which no address holds. */
  readonly text: TextName | undefined;
  readonly faults: readonly string[];
} {
  const faults: string[] = [];
  const oneOf = <N extends string>(name: string, names: readonly N[], otherwise: N): N => {
    const text = params.get(name);
    if (text === null) return otherwise;
    const found = names.find((one) => one.toLowerCase() === text.toLowerCase());
    if (found === undefined) {
      faults.push(`${name}: expected one of ${names.join(', ')}, got "${text}"`);
    }
    return found ?? otherwise;
  };
  const whole = (name: string, otherwise: number, least: number, most: number): number => {
    const text = params.get(name);
    if (text === null) return otherwise;
    const value = text.trim() === '' ? NaN : Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    faults.push(`${name}: expected a whole number from ${least} to ${most}, got "${text}"`);
    return otherwise;
  };
  const size = oneOf('size', SIZE_NAMES, FITTING[kind]);
  const choice = {
    size,
    activation: oneOf('activation', ACTIVATIONS, 'gelu'),
    norm: oneOf('norm', NORMS, 'layerNorm'),
    steps: whole('steps', SIZES[size].steps, 1, MOST_STEPS),
    seed: whole('seed', DEFAULTS.seed, 0, MOST_SEED),
  };
  const text = params.has('text') ? oneOf('text', TEXT_NAMES, 'moby') : undefined;
  return { choice, text, faults };
}

/** The address's parameters; what fits the adapter by itself is left out. */
export function formatChoice(
  choice: Choice,
  text: TextName | 'own',
  kind: Kind,
): Record<string, string | undefined> {
  const { size, activation, norm, steps, seed } = choice;
  const unless = (usual: string | number, value: string | number) =>
    value === usual ? undefined : String(value);
  return {
    size: unless(FITTING[kind], size),
    activation: unless('gelu', activation),
    norm: unless('layerNorm', norm),
    steps: unless(SIZES[size].steps, steps),
    seed: unless(DEFAULTS.seed, seed),
    text: text === 'own' ? undefined : unless('moby', text),
  };
}

/** Without the vocabulary, which the text decides. */
export function configOf({ size, activation, norm }: Choice): Omit<GptConfig, 'vocabulary'> {
  const { context, layers, width, heads } = SIZES[size];
  return { context, layers, width, heads, dropout: 0, activation, norm, positions: 'rotary' };
}

export function settingsOf({ size, steps, seed }: Choice): WriterSettings {
  const { batchSize, learningRate, testEvery } = SIZES[size];
  return { ...DEFAULTS, batchSize, learningRate, testEvery, steps, seed };
}

export const sameChoice = (a: Choice, b: Choice): boolean =>
  JSON.stringify(a) === JSON.stringify(b);

/** Names as papers have them. */
export const LABELS: Readonly<Record<GptConfig['activation'] | GptConfig['norm'], string>> = {
  gelu: 'gelu',
  swiglu: 'swiglu',
  reluSquared: 'relu²',
  layerNorm: 'layerNorm',
  rmsNorm: 'rmsNorm',
};

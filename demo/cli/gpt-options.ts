// Takes the arguments of `npm run gpt`, and gives what they ask for, or a SettingError that says what is wrong.
import { parseArgs } from 'node:util';
import { BACKENDS, type Backend } from '../shell/devices.ts';
import { messageOf } from '../training/format.ts';
import { parseName, SettingError } from '../training/settings.ts';
import {
  ACTIVATIONS,
  DEFAULTS,
  NORMS,
  POSITIONS,
  type GptConfig,
  type WriterSettings,
} from '../writing/config.ts';

export interface GptCommandLine {
  /** Without the vocabulary, which the text decides. */
  readonly config: Omit<GptConfig, 'vocabulary'>;
  readonly settings: WriterSettings;
  readonly backend: Backend;
  readonly save: string | null;
  readonly load: string | null;
  readonly prompt: string;
  readonly length: number;
  readonly temperature: number;
  readonly topK: number;
  readonly json: boolean;
  readonly help: boolean;
}

const TEXT = { type: 'string' } as const;
const OPTIONS = {
  steps: TEXT,
  batch: TEXT,
  context: TEXT,
  layers: TEXT,
  width: TEXT,
  heads: TEXT,
  dropout: TEXT,
  activation: TEXT,
  norm: TEXT,
  positions: TEXT,
  lr: TEXT,
  seed: TEXT,
  'test-every': TEXT,
  backend: TEXT,
  save: TEXT,
  load: TEXT,
  prompt: TEXT,
  length: TEXT,
  temperature: TEXT,
  'top-k': TEXT,
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

export const HELP = `Trains a small GPT on Moby Dick, character by character, and lets it write.

npm run gpt -- [options]
npm run gpt -- --load FILE --prompt TEXT

  --steps NUMBER        default ${DEFAULTS.steps}
  --batch NUMBER        pieces of text per step; default ${DEFAULTS.batchSize}
  --context NUMBER      characters of a piece; default 64
  --layers NUMBER       default 4
  --width NUMBER        numbers per character; default 128
  --heads NUMBER        of attention; default 4
  --dropout NUMBER      default 0
  --activation NAME     ${ACTIVATIONS.join(', ')}; default gelu
  --norm NAME           ${NORMS.join(', ')}; default layerNorm
  --positions NAME      ${POSITIONS.join(', ')}; default rotary
  --lr NUMBER           highest learning rate; default ${DEFAULTS.learningRate}
  --seed NUMBER         default ${DEFAULTS.seed}
  --test-every NUMBER   steps between tests on held-out text; default ${DEFAULTS.testEvery}
  --backend NAME        ${BACKENDS.join(', ')}; default auto: a hardware GPU, else the CPU
  --save FILE           writes the trained model as safetensors
  --load FILE           writes on with a saved model, without training
  --prompt TEXT         what the model writes on from
  --length NUMBER       characters to write; default 200
  --temperature NUMBER  0 takes the likeliest character; default 0.8
  --top-k NUMBER        draws from so many likeliest characters; default 0: all
  --json                one JSON object on stdout (npm run --silent keeps npm's own lines out)
  --help`;

export function parseGptCommandLine(args: readonly string[]): GptCommandLine {
  const values = parse(args);
  type Name = Exclude<keyof typeof OPTIONS, 'json' | 'help'>;
  const number = (name: Name, otherwise: number, min: number, max: number): number => {
    const text = values[name];
    if (text === undefined) return otherwise;
    const value = text.trim() === '' ? NaN : Number(text);
    if (value >= min && value <= max) return value;
    throw new SettingError(`--${name}: expected a number from ${min} to ${max}, got "${text}"`);
  };
  const whole = (name: Name, otherwise: number, min: number, max: number): number => {
    const value = number(name, otherwise, min, max);
    if (Number.isInteger(value)) return value;
    throw new SettingError(`--${name}: expected a whole number, got "${value}"`);
  };
  const [width, heads] = [whole('width', 128, 2, 4096), whole('heads', 4, 1, 64)];
  if (width % (2 * heads) !== 0) {
    throw new SettingError(
      `--width: expected a multiple of twice --heads (${heads}), got ${width}`,
    );
  }
  return {
    config: {
      context: whole('context', 64, 2, 4096),
      layers: whole('layers', 4, 1, 64),
      width,
      heads,
      dropout: number('dropout', 0, 0, 0.9),
      activation: parseName(ACTIVATIONS, values.activation ?? 'gelu', '--activation'),
      norm: parseName(NORMS, values.norm ?? 'layerNorm', '--norm'),
      positions: parseName(POSITIONS, values.positions ?? 'rotary', '--positions'),
    },
    settings: {
      ...DEFAULTS,
      steps: whole('steps', DEFAULTS.steps, 1, 1e7),
      batchSize: whole('batch', DEFAULTS.batchSize, 1, 4096),
      learningRate: number('lr', DEFAULTS.learningRate, 1e-6, 1),
      seed: whole('seed', DEFAULTS.seed, 0, 2 ** 31 - 1),
      testEvery: whole('test-every', DEFAULTS.testEvery, 1, 1e7),
    },
    backend: parseName(BACKENDS, values.backend ?? 'auto', '--backend'),
    save: values.save ?? null,
    load: values.load ?? null,
    prompt: values.prompt ?? 'Call me ',
    length: whole('length', 200, 0, 1e6),
    temperature: number('temperature', 0.8, 0, 100),
    topK: whole('top-k', 0, 0, 1e6),
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

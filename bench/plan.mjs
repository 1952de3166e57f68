// @ts-check
// In: the command line's options. Out: what is to be measured, in order, and how often.

import {
  BEFORE,
  CPU_LIBRARIES,
  ELEMENTWISE,
  GPU_LIBRARIES,
  ROWWISE,
  STARTED,
} from './page/ops.mjs';

/**
 * @typedef {import('./page/types.ts').OpName} OpName
 * @typedef {import('./page/types.ts').Shape} Shape
 * @typedef {import('./page/types.ts').LibraryName} LibraryName
 * @typedef {import('./page/cell.ts').CellRequest} CellRequest
 * @typedef {'cells' | 'cpu' | 'overhead' | 'cold' | 'counts' | 'training' | 'models' | 'attention'} Part
 * @typedef {import('./page/training/types.ts').AttentionRequest} AttentionRequest
 * @typedef {import('./page/training/types.ts').LearnerName} LearnerName
 * @typedef {import('./page/training/types.ts').TrainingRequest} TrainingRequest
 * @typedef {{
 *   quick?: boolean, op?: string[], size?: string[], only?: string[], part?: string[], rounds?: string, before?: string, 'cpu-time'?: boolean
 * }} Options
 */

/** @type {readonly Shape[]} */
const SIZES = [
  [1, 1000],
  [100, 1000],
  [1000, 1000],
  [16_000, 1000],
];
/** @type {readonly Shape[]} */
const ROWS = [
  [4096, 10],
  [512, 1000],
  [64, 32_000],
  [8, 128_256],
];
/** @type {readonly Part[]} */
const PARTS = ['cold', 'counts', 'overhead', 'cells', 'cpu', 'training', 'models', 'attention'];
/** `training` is `models` and `attention`. Parts whose sections of docs/benchmarks.md stand by themselves, and may be written anew alone. @type {readonly Part[]} */
const APART = ['training', 'models', 'attention'];

/** @type {readonly LearnerName[]} */
const LEARNERS = ['nonlin', 'tfjs', 'jax'];

/**
 * A GPT is learned by this library and jax-js alone: TensorFlow.js has no attention, and no gelu with a gradient.
 * @type {readonly Omit<TrainingRequest, 'rounds' | 'span'>[]}
 */
const MODELS = [
  {
    name: 'GPT, 4 layers of 128',
    model: { kind: 'gpt', layers: 4, width: 128, heads: 4, context: 64, batch: 16 },
    libraries: ['nonlin', 'jax'],
    steps: 4,
  },
  {
    name: 'GPT, 2 layers of 64',
    model: { kind: 'gpt', layers: 2, width: 64, heads: 4, context: 64, batch: 8 },
    libraries: ['nonlin', 'jax'],
    steps: 12,
  },
  {
    name: 'digits, 784-128-10',
    model: {
      kind: 'perceptron',
      data: 'digits',
      activation: 'relu',
      sizes: [784, 128, 10],
      batch: 64,
      learningRate: 0.003,
    },
    libraries: LEARNERS,
    steps: 20,
  },
  {
    name: 'spirals, 2-24-24-24-2',
    model: {
      kind: 'perceptron',
      data: 'spirals',
      activation: 'tanh',
      sizes: [2, 24, 24, 24, 2],
      batch: 60,
      learningRate: 0.01,
    },
    libraries: LEARNERS,
    steps: 20,
  },
];
/** In place of the GPTs where it is to be quick. @type {typeof MODELS[number]} */
const SMALL_GPT = {
  name: 'GPT, 1 layer of 32',
  model: { kind: 'gpt', layers: 1, width: 32, heads: 2, context: 16, batch: 4 },
  libraries: ['nonlin', 'jax'],
  steps: 8,
};

/**
 * The longest has one head: eight would take an emulator half a minute a call. Memory alone is measured where it has a bound.
 * @type {readonly Omit<AttentionRequest, 'rounds' | 'span'>[]}
 */
const ATTENTION = [
  { length: 256, heads: 8, width: 64 },
  { length: 1024, heads: 8, width: 64 },
  { length: 4096, heads: 1, width: 64 },
];
/** @type {Omit<AttentionRequest, 'rounds' | 'span'>} */
const ATTENTION_MEMORY = { length: 2048, heads: 8, width: 64 };

/** One op of each kind, and one size. @type {readonly OpName[]} */
const QUICK_OPS = ['relu', 'gelu', 'tanh', 'mse', 'softmax', 'crossEntropy', 'crossEntropyGrad'];
/** @type {readonly Shape[]} */
const QUICK_SHAPES = [
  [1000, 1000],
  [512, 1000],
];

/** @param {string} text `1e6`, or `512x1000` @returns {Shape} */
function parseShape(text) {
  const [rows, columns] = text.split('x').map(Number);
  const shape = columns === undefined ? [Number(rows) / 1000, 1000] : [Number(rows), columns];
  if (!shape.every((n) => Number.isInteger(n) && n > 0)) {
    throw new Error(`--size: expected e.g. 1e6 (a multiple of 1000) or 512x1000, got ${text}`);
  }
  return /** @type {Shape} */ (/** @type {unknown} */ (shape));
}

/**
 * @template {string} T
 * @param {string} option
 * @param {readonly T[]} known
 * @param {readonly string[] | undefined} given
 * @returns {readonly T[]}
 */
function choose(option, known, given) {
  for (const name of given ?? []) {
    if (!known.some((one) => one === name)) {
      throw new Error(`--${option}: expected one of ${known.join(', ')}, got ${name}`);
    }
  }
  return given ? known.filter((one) => given.includes(one)) : known;
}

/** @param {Options} options */
export function planOf({ quick = false, op, size, only, part, rounds: given, before, ...others }) {
  const compared = before !== undefined;
  const narrowed = op !== undefined || size !== undefined || only !== undefined || compared;
  const full = !quick && !narrowed && part === undefined && others['cpu-time'] !== true;
  const rounds = given === undefined ? (quick ? 7 : 9) : Number(given);
  const parts = choose('part', PARTS, part ?? (narrowed ? ['cells'] : undefined));
  const ops = choose('op', [...ELEMENTWISE, ...ROWWISE], op ?? (quick ? QUICK_OPS : undefined));
  const shapes = size?.map(parseShape) ?? (quick ? QUICK_SHAPES : undefined);
  // Floors and baselines are always there: all else is a multiple of them.
  const among = [...new Set([...GPU_LIBRARIES, ...CPU_LIBRARIES, ...STARTED])];
  const wanted = choose('only', among, only);
  /** @param {readonly LibraryName[]} list */
  const kept = (list) => list.filter((name, i) => i === 0 || wanted.some((one) => one === name));
  // beside another checkout: it, then this library
  const [beforeGpu, beforeCpu] = BEFORE;
  const gpuLibraries = compared
    ? /** @type {const} */ ([beforeGpu, 'nonlin'])
    : kept(GPU_LIBRARIES);
  const cpuLibraries = compared
    ? /** @type {const} */ ([beforeCpu, 'nonlin-cpu'])
    : kept(CPU_LIBRARIES);

  /** @param {readonly LibraryName[]} libraries @param {number} span @returns {CellRequest[]} */
  const cellsOf = (libraries, span) =>
    ops.flatMap((name) => {
      const own = ROWWISE.some((one) => one === name) ? ROWS : SIZES;
      const rowwise = own === ROWS;
      const chosen =
        size !== undefined
          ? (shapes ?? [])
          : shapes
            ? shapes.filter((shape) => own.some((s) => s[0] === shape[0] && s[1] === shape[1]))
            : own;
      return chosen
        .filter((shape) => size === undefined || rowwise === isRows(shape))
        .map((shape) => ({ op: name, shape, libraries, rounds, span }));
    });
  /** @type {<T>(name: Part, list: readonly T[]) => readonly T[]} */
  const when = (name, list) => (parts.includes(name) ? list : []);
  /** @type {<T>(name: Part, list: readonly T[]) => readonly T[]} */
  const whenTraining = (name, list) => (parts.includes('training') ? list : when(name, list));
  const started = kept(STARTED);
  // Ratios of few rounds are enough where each is of seconds.
  const long = given === undefined ? 3 : rounds;
  const models = quick ? [SMALL_GPT, ...MODELS.slice(2)] : MODELS;
  const lengths = quick ? ATTENTION.slice(0, 1) : ATTENTION;
  const alone = part !== undefined && parts.every((name) => APART.includes(name));
  return {
    full,
    /** Whether the sections of these parts are to be written anew, and nothing else. */
    apart: alone && !quick && !narrowed && others['cpu-time'] !== true,
    training: whenTraining(
      'models',
      models.map((one) => ({
        ...one,
        libraries: one.libraries.filter((name, i) => i === 0 || wanted.includes(name)),
        rounds: long,
        span: quick ? 100 : 1500,
      })),
    ),
    attention: whenTraining('attention', [
      ...lengths.map((one) => ({ ...one, rounds: long, span: quick ? 100 : 500 })),
      ...(quick ? [] : [{ ...ATTENTION_MEMORY, rounds: 0, span: 0 }]),
    ]),
    cells: when('cells', cellsOf(gpuLibraries, quick ? 10 : 20)),
    cpuCells: when('cpu', cellsOf(cpuLibraries, quick ? 10 : 20)),
    overhead: when('overhead', compared ? gpuLibraries : started),
    overheadRounds: given === undefined ? (quick ? 10 : 20) : rounds,
    // in turn, like everything else
    coldStarts: when('cold', Array.from({ length: quick ? 1 : 11 }, () => started).flat()),
    counts: when('counts', quick ? [] : started),
    /** @type {readonly OpName[]} */
    countedOps: ['relu', 'gelu', 'reluGrad', 'mse', 'softmax', 'crossEntropy', 'crossEntropyGrad'],
    /** @type {Shape} */
    memoryShape: [64, 32_000],
  };
}

/** Whether a shape given with `--size` is meant for row-wise ops. @param {Shape} shape */
function isRows([rows, columns]) {
  return columns !== 1000 || rows === 512;
}

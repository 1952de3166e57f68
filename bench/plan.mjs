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
 * @typedef {'cells' | 'cpu' | 'overhead' | 'cold' | 'counts'} Part
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
const PARTS = ['cold', 'counts', 'overhead', 'cells', 'cpu'];

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
  const started = kept(STARTED);
  return {
    full,
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

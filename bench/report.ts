// Takes the results of a run, and gives docs/benchmarks.md.
import { quantile } from './page/cell.ts';
import { CPU_LIBRARIES, GPU_LIBRARIES } from './page/ops.mjs';
import type {
  Cell,
  ColdStart,
  Counts,
  LibraryName,
  Memory,
  Overhead,
  Timing,
} from './page/types.ts';
import { trainingSections, type TrainingResults } from './report-training.ts';
import { digits, NAMES, section, table } from './report-words.ts';

export interface Results extends TrainingResults {
  readonly version: string;
  readonly peers: Readonly<Record<string, string>>;
  readonly full: boolean;
  readonly seconds: number;
  readonly cells: readonly Cell[];
  readonly cpuCells: readonly Cell[];
  readonly overhead: readonly Overhead[];
  readonly coldStarts: readonly ({ readonly library: LibraryName } & ColdStart)[];
  readonly counts: readonly {
    readonly library: LibraryName;
    readonly counts: readonly Counts[];
    readonly memory: Memory | null;
  }[];
}

export const OPS: Readonly<Record<string, string>> = {
  gelu: 'gelu (erf)',
  geluTanh: 'gelu (tanh)',
  reluGrad: 'relu with gradient',
  biasGelu: 'bias + gelu (erf)',
  mse: 'mse mean',
  crossEntropy: 'cross-entropy mean',
  crossEntropyGrad: 'cross-entropy mean with gradient',
};

function shapeOf({ op, shape: [rows, columns] }: Cell): string {
  const rowwise = op === 'softmax' || op === 'logSoftmax' || op.startsWith('crossEntropy');
  return rowwise ? `${rows} × ${columns}` : (rows * columns).toLocaleString('en-US');
}

export function ratioOf(timing: Timing | undefined): string {
  if (timing === undefined || timing.status === 'none') return 'none';
  return timing.status === 'ok' ? digits(timing.ratio) : timing.status;
}

const ratio = (timing: Timing | undefined): number =>
  timing?.status === 'ok' ? timing.ratio : Infinity;

/** Multiples of the floor's time; the floor itself in nanoseconds per element; the fastest library in bold. */
function cellTable(cells: readonly Cell[], libraries: readonly LibraryName[]): string {
  const [floor = 'copy', ...others] = libraries.filter((name) =>
    cells.some((cell) => cell.timings[name]),
  );
  const rows = cells.map((cell) => {
    const base = cell.timings[floor];
    const best = Math.min(...others.map((name) => ratio(cell.timings[name])));
    return [
      OPS[cell.op] ?? cell.op,
      shapeOf(cell),
      base?.status === 'ok' ? digits(base.ns) : '–',
      ...others.map((name) => {
        const timing = cell.timings[name];
        const text = ratioOf(timing);
        return ratio(timing) === best ? `**${text}**` : text;
      }),
    ];
  });
  return table(['op', 'size', `${NAMES[floor]}, ns`, ...others.map((name) => NAMES[name])], rows);
}

/** In a run beside another checkout: how many times its time this library takes, in geometric mean. */
function comparison(cells: readonly Cell[]): string[] {
  const ratios = cells.flatMap(({ timings }) => {
    const own = timings.nonlin ?? timings['nonlin-cpu'];
    return (timings.before ?? timings['before-cpu']) && own?.status === 'ok' ? [own.ratio] : [];
  });
  if (ratios.length === 0) return [];
  const mean = Math.exp(ratios.reduce((sum, one) => sum + Math.log(one), 0) / ratios.length);
  return [`Geometric mean of ${ratios.length} cells, as a multiple of before: ${digits(mean)}.`];
}

/** Cells in which the first library is not the fastest. */
export function lost(
  cells: readonly Cell[],
  own: LibraryName,
  peers: readonly LibraryName[],
): string[] {
  return cells.flatMap((cell) => {
    const mine = ratio(cell.timings[own]);
    const best = Math.min(...peers.map((name) => ratio(cell.timings[name])));
    if (mine <= best || best === Infinity) return [];
    return [
      `${OPS[cell.op] ?? cell.op} ${shapeOf(cell)} (${digits(mine)} against ${digits(best)})`,
    ];
  });
}

function problems(cells: readonly Cell[]): string[] {
  return cells.flatMap((cell) =>
    Object.entries(cell.timings).flatMap(([name, timing]) =>
      timing.status === 'wrong' || timing.status === 'failed'
        ? [
            `- ${NAMES[name as LibraryName]}, ${OPS[cell.op] ?? cell.op} ${shapeOf(cell)}, ${timing.status}: ${timing.detail}`,
          ]
        : [],
    ),
  );
}

function overheadTable(overhead: readonly Overhead[]): string {
  return table(
    ['', 'µs per call', 'of it in JavaScript', 'multiple'],
    overhead.map((one) => [
      NAMES[one.library],
      digits(one.total),
      digits(one.javascript),
      digits(one.ratio),
    ]),
  );
}

function coldTable(starts: Results['coldStarts']): string {
  const names = [...new Set(starts.map(({ library }) => library))];
  const of = (name: LibraryName, key: keyof ColdStart): number[] =>
    starts.filter(({ library }) => library === name).map((start) => start[key]);
  const [baseline = 'hand-written'] = names;
  // Starts come in turn, so those of one round compare.
  const multiple = (name: LibraryName): number =>
    quantile(
      of(name, 'relu').map((time, round) => time / (of(baseline, 'relu')[round] ?? NaN)),
      0.5,
    );
  return table(
    ['', 'first relu, ms', 'multiple', 'ten more ops, ms'],
    names.map((name) => [
      NAMES[name],
      digits(quantile(of(name, 'relu'), 0.5)),
      digits(multiple(name)),
      digits(quantile(of(name, 'ten'), 0.5)),
    ]),
  );
}

function countTable(counted: Results['counts']): string {
  const rows = counted.flatMap(({ library, counts }) =>
    counts.map((one) => [
      NAMES[library],
      OPS[one.op] ?? one.op,
      digits(one.dispatches),
      digits(one.submits),
      digits(one.buffers),
      digits(one.bindGroups),
    ]),
  );
  return table(['', 'op', 'dispatches', 'submits', 'buffers', 'bind groups'], rows);
}

function memoryTable(counted: Results['counts']): string {
  const rows = counted.flatMap(({ library, memory }) =>
    memory ? [[NAMES[library], digits(memory.peak)]] : [],
  );
  return table(['', 'multiple of the logits'], rows);
}

export function report(results: Results): string {
  const { cells, cpuCells, overhead, coldStarts, counts } = results;
  const peers = Object.entries(results.peers)
    .filter(([name]) => !name.startsWith('@bufbuild'))
    .map(([name, version]) => `${name} ${version}`);
  const wrong = [...problems(cells), ...problems(cpuCells)];
  const behind = lost(cells, 'nonlin', ['tfjs', 'ort', 'jax']);
  const behindCpu = lost(cpuCells, 'nonlin-cpu', ['tfjs-cpu']);
  const listed = (list: readonly string[]): string => (list.length > 0 ? list.join('; ') : 'none');
  return [
    '# Benchmarks',
    `nonlin ${results.version} beside ${peers.join(', ')}, on ${results.date}, in headless ${results.browser}.`,
    `Adapter: ${results.adapter}. Processor: ${results.processor}, ${results.threads} threads. The run took ${results.seconds} s: \`npm run bench\`.`,
    ...section(
      'Ops on the GPU',
      'Multiples of the time that a hand-written copy kernel takes on as many elements (its own time in nanoseconds per element), median of rounds in which each library has its turn; less is better, the fastest is bold. Results stay on the device; calls are repeated to about 20 ms, then waited for once. Outputs are checked against float64 first: `wrong` stands in place of a time. On a software adapter a dispatch takes 30 to 150 µs whatever it computes, as the emulator’s threads are awake or asleep: below some 50,000 elements, and in 4096 × 10, multiples differ by a factor of two between runs.',
      cellTable(cells, ['before', ...GPU_LIBRARIES]),
      cells.length > 0,
    ),
    ...comparison(cells),
    ...comparison(cpuCells),
    ...(cells.length > 0 ? [`Not the fastest: ${listed(behind)}.`] : []),
    ...section(
      'Cost of a call',
      '200 calls of relu on 256 elements, then one wait. JavaScript: until the last submit. The multiple is of the hand-written program, which encodes a compute pass per call.',
      overheadTable(overhead),
      overhead.length > 0,
    ),
    ...section(
      'Cold start',
      'From the import to the first result of relu on the host, with adapter, device and pipeline, of a program that uses relu alone (of nonlin, a bundler then takes what relu needs; the others are imported as a whole). And, after a first result of relu, the first results of ten other ops on 64 × 100 elements, all called before the first is waited for (ONNX Runtime: one after the other, as it makes one session at a time). Each in a browser that has just started. The hand-written program uses the built-in `exp` and `tanh`, ours their accurate forms, which take the compiler longer.',
      coldTable(coldStarts),
      coldStarts.length > 0,
    ),
    ...section(
      'What a call asks of WebGPU',
      'Per call on 64 × 100 elements, in the steady state.',
      countTable(counts),
      counts.length > 0,
    ),
    ...section(
      'Peak memory of cross-entropy with gradient',
      'All buffers alive at the worst moment of three steps on 64 × 32000, logits included. Logits and gradient alone are 2.',
      memoryTable(counts),
      counts.length > 0,
    ),
    ...section(
      'Ops on the CPU',
      'The same, against `Float32Array.set`. TensorFlow.js wasm is SIMD on one thread, in float32; nonlin computes in float64.',
      cellTable(cpuCells, ['before-cpu', ...CPU_LIBRARIES]),
      cpuCells.length > 0,
    ),
    ...(cpuCells.length > 0 ? [`Slower than TensorFlow.js cpu: ${listed(behindCpu)}.`] : []),
    ...trainingSections(results),
    ...(wrong.length > 0 ? ['## Wrong and failed', wrong.join('\n')] : []),
  ].join('\n\n');
}

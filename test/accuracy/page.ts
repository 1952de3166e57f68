// Takes what scripts/accuracy.mjs asks for, in a browser. Gives an op's largest errors on its GPU, as plain data.
import type { Documented } from '../../src/define/op.ts';
import { init, type Device } from '../../src/index.ts';
import { withArithmetic } from '../arithmetic/device.ts';
import { MODES, type Arithmetic } from '../arithmetic/helpers.ts';
import { rowWithBuiltins } from './builtin-rows.ts';
import { withBuiltins } from './builtins.ts';
import { isRows, measured, optionSets, type Options } from './cases.ts';
import { constantsOf, everyFloat, everyHalf, runsRound, stratified, type Chunk } from './inputs.ts';
import type { Measured } from './report.ts';
import { LENGTHS, sweep, sweepRows, type Errors } from './sweep.ts';

const INPUTS = 2 ** 22;

type Progress = (part: string) => Promise<void>;

/** Of hardware's arithmetic, from the page's address; the sweep is smaller then, as emulating it takes time. */
const wanted = new URLSearchParams(location.search).get('arithmetic');
const mode = MODES.find((one) => one === wanted);
const MODE_INPUTS = 2 ** 16;
/** As many elements as a call may have to be compiled as one element: contraction would take minutes to compile. */
const MODE_CALL = 2 ** 13;

const ready = mode ? withMode(mode) : init({ backend: 'webgpu' });

/** As planned for hardware, but for contraction: see `MODE_CALL`. */
async function withMode(one: Arithmetic): Promise<Device> {
  const tuning = one === 'contract' ? 'software' : 'hardware';
  const device = await init({ backend: 'webgpu', tuning });
  if (device.gpuDevice) withArithmetic(device.gpuDevice, one);
  return device;
}

/** Chunks of at most `MODE_CALL` inputs. */
function* pieces(chunks: Iterable<Chunk>): Generator<Chunk> {
  for (const { x, subnormal } of chunks) {
    for (let i = 0; i < x.length; i += MODE_CALL) {
      yield { x: x.slice(i, i + MODE_CALL), subnormal };
    }
  }
}

/** All floats for the defaults, where asked for; else the stratified ones. Runs round constants come with either. */
function* inputsOf(op: Documented, full: boolean, base: readonly Chunk[]): Generator<Chunk> {
  yield* full ? everyFloat() : base;
  yield* runsRound(constantsOf(op));
}

const row = (
  op: Documented,
  about: Partial<Measured>,
  errors: Errors,
  naive?: Errors,
): Measured => ({
  op: op.op,
  kind: op.kind,
  options: {},
  dtype: 'float32',
  ...about,
  errors,
  ...(naive ? { naive } : {}),
});

async function measureElementwise(
  device: Device,
  op: Documented,
  full: boolean,
  progress: Progress,
): Promise<Measured[]> {
  const base = stratified(mode ? MODE_INPUTS : INPUTS);
  const naive = mode ? undefined : withBuiltins(op);
  const rows: Measured[] = [];
  for (const [k, options] of optionSets(op).entries()) {
    const all = (): Iterable<Chunk> => inputsOf(op, full && k === 0, base);
    const inputs = mode === 'contract' ? () => pieces(all()) : all;
    await progress(`float32 ${label(options)}`);
    const errors = await sweep(device, op, options, inputs(), 'float32');
    if (naive) await progress(`built-ins ${label(options)}`);
    const others = naive && (await sweep(device, op, options, inputs(), 'float32', naive));
    rows.push(row(op, { options }, errors, others));
    // The same code between a load and a store.
    if (mode) continue;
    await progress(`float16 ${label(options)}`);
    const half = await sweep(device, op, options, [everyHalf], 'float16');
    rows.push(row(op, { options, dtype: 'float16' }, half));
  }
  return rows;
}

async function measureRows(
  device: Device,
  op: Documented,
  progress: Progress,
): Promise<Measured[]> {
  const naive = mode ? undefined : rowWithBuiltins(op);
  const rows: Measured[] = [];
  for (const options of optionSets(op)) {
    for (const n of LENGTHS) {
      // rows 1e6 from 0 are infinite in float16
      const both = !mode && !options.offset;
      for (const dtype of both ? (['float32', 'float16'] as const) : (['float32'] as const)) {
        await progress(`rows of ${n}, ${dtype} ${label(options)}`);
        const size = (mode ? MODE_INPUTS : INPUTS) / 4;
        const errors = await sweepRows(device, op, options, n, size, dtype);
        const others =
          naive && dtype === 'float32'
            ? await sweepRows(device, op, options, n, size, dtype, naive)
            : undefined;
        rows.push(row(op, { length: n, dtype, options }, errors, others));
      }
    }
  }
  return rows;
}

const label = (options: Options): string => JSON.stringify(options).replaceAll('"', '');

const accuracy = {
  ops: measured.map(({ op }) => op),

  async adapter(): Promise<string> {
    const info = (await ready).gpuDevice?.adapterInfo;
    const { vendor = '', architecture = '', description = '' } = info ?? {};
    return [vendor, architecture, description].filter(Boolean).join(', ');
  },

  async measure(name: string, full: boolean): Promise<Measured[]> {
    const op = measured.find((candidate) => candidate.op === name);
    if (!op) throw new Error(`no op ${name}`);
    const progress = Reflect.get(globalThis, 'progress') as Progress;
    const device = await ready;
    return isRows(op)
      ? measureRows(device, op, progress)
      : measureElementwise(device, op, full, progress);
  },
};

export type AccuracyPage = typeof accuracy;
Object.assign(globalThis, { accuracy });

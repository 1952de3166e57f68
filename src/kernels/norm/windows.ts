// Plans norms of tensors that are larger than a binding: rows window by window, and channels that lie between each other a
// few at a time.
import type { Capabilities, Plan, View } from '../../core/kernel.ts';
import { addSums } from '../reduce/sums.ts';
import {
  inputsOf,
  outputsOf,
  stretch,
  viewsOf,
  type Block,
  type Region,
} from '../windows/regions.ts';
import type { Windows } from '../windows/windows.ts';
import {
  isSum,
  KEPT,
  operandInputs,
  operandOutputs,
  type NormArgs,
  type NormBackward,
} from './args.ts';
import { inPieces } from './bindings.ts';
import { planBackward, planResults } from './whole.ts';

/** Null where a row is longer than a binding. */
export function planNormWindows(
  args: NormArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan | null {
  return inPieces(args.layout) || args.layout.inner > 1
    ? planChannels(args, inputs, outputs, caps)
    : planRows(args, inputs, outputs, caps);
}

/** What a tensor has of each row: its elements, or so many numbers; null is not of rows. */
type Each = 'row' | number | null;

function eachOfInputs(args: NormArgs, count: number): Each[] {
  const operands = operandInputs(args);
  return Array.from({ length: count }, (_, i): Each => {
    if (operands.includes(i)) return null;
    if (args.direction === 'backward') return i === 1 ? KEPT : 'row';
    return i <= Number(isSum(args)) ? 'row' : 1;
  });
}

/** The same of the results, behind which there are gradients of operands. */
function eachOfResults(args: NormArgs, count: number): Each[] {
  const keeps = args.direction === 'forward' && args.keeps;
  const rows = 1 + Number(isSum(args));
  return Array.from({ length: count }, (_, i) =>
    i < rows ? 'row' : i === rows && keeps ? KEPT : 1,
  );
}

/** Rows that lie together. */
function planRows(
  args: NormArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan | null {
  const { layout } = args;
  const windows = caps.windows(caps);
  const numbersOf = (each: Each = null): number | null => (each === 'row' ? layout.n : each);
  const eachIn = eachOfInputs(args, inputs.length);
  const ins = inputsOf(inputs).map((region, i) => ({ ...region, each: numbersOf(eachIn[i]) }));
  const outs = outputsOf(outputs);
  const results = args.direction === 'forward' ? outs : outs.slice(0, Number(args.wants.x));
  const eachOut = eachOfResults(args, results.length);
  const shares = args.direction === 'backward' ? new Shares(args, windows) : null;
  const planned = windows.rows(
    layout,
    ins,
    results.map((region, i) => ({ ...region, each: numbersOf(eachOut[i]) })),
    ({ outer, first, index, count }, from, to) => {
      const part = { layout: { ...layout, outer }, first };
      if (args.direction === 'forward')
        return planResults({ ...args, ...part }, viewsOf(from), viewsOf(to), caps);
      const targets = [...to, ...(shares?.take(outer, first, index, count) ?? [])];
      const own = { ...args, ...part, apart: true };
      windows.add(planBackward(own, viewsOf(from), viewsOf(targets), caps), from, targets);
      return null;
    },
  );
  if (!planned) return null;
  shares?.finish(outs);
  return windows;
}

/** What the gradients of operands are sums of, of all windows. */
class Shares {
  readonly #args: NormBackward;
  readonly #windows: Windows;
  #kept: (Region | undefined)[] | undefined;
  #count = 0;

  constructor(args: NormBackward, windows: Windows) {
    this.#args = args;
    this.#windows = windows;
  }

  /** Numbers of a share: of columns, or channels. */
  get #width(): number {
    const { channels, layout } = this.#args;
    return channels ? channels.groups * channels.each : layout.n;
  }

  /** Where those of a window go: of channels every row has its own, of columns every window. */
  take(outer: number, first: number, index: number, count: number): Region[] {
    const { channels, layout } = this.#args;
    const each = channels?.each ?? this.#width;
    this.#count = channels ? layout.outer / channels.groups : count;
    this.#kept ??= operandOutputs(this.#args).map((output) =>
      output < 0 ? undefined : this.#windows.keep(this.#count * this.#width),
    );
    const block = channels ? stretch(first * each, outer * each) : stretch(index * each, each);
    return this.#kept.flatMap((sums) => (sums ? [this.#windows.write(sums, block)] : []));
  }

  /** Adds them up. */
  finish(outputs: readonly Region[]): void {
    const rows = { outer: 1, n: this.#count, inner: this.#width, divisor: 1 };
    operandOutputs(this.#args).forEach((index, i) => {
      const [from, to] = [this.#kept?.[i], outputs[index]];
      if (from && to) addSums(this.#windows, rows, from, to);
    });
  }
}

/** Channels of [batches, channels, span], a few at a time. Each is a row: no gradient of an operand is a sum over windows. */
function planChannels(
  args: NormArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan | null {
  const { layout } = args;
  const { n } = layout;
  const columns = layout.inner > 1;
  const rows = layout.outer * layout.inner;
  const span = columns ? 1 : layout.span;
  const windows = caps.windows(caps);
  // Whole quads of channels, so that windows begin where they may, if there are so many.
  const most = Math.floor(windows.most / n);
  if (most === 0) return null;
  const width = most < 64 ? most : Math.floor(most / 64) * 64;
  const [ins, outs] = [inputsOf(inputs), outputsOf(outputs)];
  const eachIn = eachOfInputs(args, ins.length);
  const results = args.direction === 'forward' ? outs.length : Number(args.wants.x);
  const eachOut = eachOfResults(args, results);
  for (let first = 0; first < rows; first += width) {
    const count = Math.min(width, rows - first);
    // Elements of the rows; or a few numbers of each, of operands and their gradients one.
    const blockOf = (each: Each = null): Block =>
      each === 'row'
        ? { offset: first * span, runs: n / span, length: count * span, stride: rows * span }
        : stretch(first * (each ?? 1), count * (each ?? 1));
    windows.part(() => {
      const from = ins.map((region, i) => windows.read(region, blockOf(eachIn[i])));
      const to = outs.map((region, i) => windows.write(region, blockOf(eachOut[i])));
      const part = {
        layout: columns
          ? { outer: 1, n, inner: count, span: n }
          : { outer: count, n, inner: 1, span },
        channels: { groups: count, each: 1, span: n },
      };
      const plan =
        args.direction === 'forward'
          ? planResults({ ...args, ...part }, viewsOf(from), viewsOf(to), caps)
          : planBackward({ ...args, ...part }, viewsOf(from), viewsOf(to), caps);
      windows.add(plan, from, to);
    });
  }
  return windows;
}

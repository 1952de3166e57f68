// Plans row-wise ops on a tensor seen as [outer, n, inner]: in windows, and in windows along rows that are longer than a binding.
import type { Binding, Capabilities, Kernel, Launch, Plan, View } from '../../core/kernel.ts';
import { isPacked } from '../rows/bindings.ts';
import { forEachLongRow, tileLong } from '../rows/long-rows.ts';
import { windowsOf } from '../rows/tiling.ts';
import {
  inputsOf,
  outputsOf,
  stretch,
  viewsOf,
  type Region,
  type RowRegion,
} from '../windows/regions.ts';
import type { Windows } from '../windows/windows.ts';
import { isOfRows, type RowwiseArgs } from './args.ts';
import { bindingsOf, launcherFor, planWindow } from './launch.ts';
import { computeRows } from './reference.ts';

export const rowwise: Kernel<RowwiseArgs> = {
  name: 'rowwise',
  float16: 'native',
  // Two rows may share a word.
  widens: ({ layout }) => !isPacked(layout),
  plan: planRows,
  cpu: computeRows,
};

/** The launches of each window, with scratch of its own. */
function planRows(
  args: RowwiseArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const ofRows = inputs.filter((_, index) => isOfRows(args, index));
  const windows = windowsOf(args.layout, [...ofRows, ...outputs], caps);
  if (windows.length === 0) return planParts(args, inputs, outputs, caps);
  const launches: Launch[] = [];
  const scratch: number[] = [];
  for (const window of windows) {
    const start = { row: window.first * args.layout.inner, element: 0 };
    const plan = planWindow(args, window, start, scratch.length, inputs, outputs, caps);
    launches.push(...plan.launches);
    scratch.push(...plan.scratch);
  }
  return { launches, scratch };
}

/** Slices or columns that windows of the tensors cannot show as they are; and rows longer than a binding. */
function planParts(
  args: RowwiseArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const { n } = args.layout;
  const windows = caps.windows(caps);
  const [ins, outs] = [inputsOf(inputs), outputsOf(outputs)];
  const rows = ins.map((region, i): RowRegion => ({
    ...region,
    each: isOfRows(args, i) ? n : null,
  }));
  const results = outs.map((region): RowRegion => ({ ...region, each: n }));
  const planned = windows.rows(args.layout, rows, results, ({ outer, inner, first }, from, to) => {
    const window = { layout: { outer, n, inner }, first: 0, part: false };
    const start = { row: first, element: 0 };
    return planWindow(args, window, start, 0, viewsOf(from), viewsOf(to), caps);
  });
  if (!planned) planLongRows(args, windows, ins, outs);
  return windows;
}

/**
 * Some columns of a slice at a time, in windows along their rows: a first launch in each leaves the sums of its chunks, a
 * second one writes what follows from all.
 */
function planLongRows(
  args: RowwiseArgs,
  windows: Windows,
  inputs: readonly Region[],
  outputs: readonly Region[],
): void {
  const { caps } = windows;
  const [output] = outputs;
  if (!output) return;
  let parts: Region | undefined;
  forEachLongRow(args.layout, windows, ({ outer, from, columns, length, blocks }) => {
    const row = outer * args.layout.inner + from;
    const tiling = tileLong({ outer: 1, n: length, inner: columns }, caps);
    const chunksOf = (count: number): number => Math.ceil(Math.ceil(count / 4) / tiling.chunkQuads);
    const chunks = blocks.reduce((sum, { count }) => sum + chunksOf(count), 0);
    const sums = (parts ??= windows.keep(chunks * columns * 2));
    for (const write of [false, true]) {
      let before = 0;
      for (const { first: element, count, block } of blocks) {
        const layout = { outer: 1, n: count, inner: columns };
        const window = { layout, first: 0, part: false };
        const own = chunksOf(count);
        const first = before;
        before += own;
        windows.part(() => {
          const sources = inputs.map((input, i) =>
            isOfRows(args, i) ? windows.read(input, block) : input,
          );
          const target = write ? windows.write(output, block) : output;
          const made = write
            ? sums
            : windows.write(sums, stretch(first * columns * 2, own * columns * 2));
          const quads = Math.ceil(count / 4);
          const tilingHere = { ...tiling, quads, chunks: write ? chunks : own };
          const [views, written] = [viewsOf(sources), viewsOf([target])];
          const start = { row, element };
          const launch = launcherFor(args, window, start, tilingHere, views, written, caps);
          const [reads, writes] = bindingsOf(args, window, views, target.view);
          const between: Binding = { slot: 4, of: 'output', index: 1, access: 'write' };
          const bindings = [...reads, ...(write ? [writes] : []), between];
          const launches = [launch(write ? 'chunks' : 'parts', bindings, own * columns)];
          windows.add({ launches, scratch: [] }, sources, [target, made]);
        });
      }
    }
  });
}

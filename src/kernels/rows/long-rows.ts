// Windows along rows that are longer than a binding, and how the work of each window is divided among invocations.
import type { Capabilities } from '../../core/kernel.ts';
import type { RowLayout } from '../../core/shape.ts';
import { tileChunks, type ChunkTiling } from './tiling.ts';
import type { Block } from '../windows/regions.ts';
import type { Windows } from '../windows/windows.ts';

/** Some columns of one slice of [outer, n, inner]. All windows but the last have the same length. */
export interface LongRow {
  readonly outer: number;
  /** The first column, and the number of columns. */
  readonly from: number;
  readonly columns: number;
  readonly length: number;
  readonly blocks: readonly {
    readonly first: number;
    readonly count: number;
    readonly block: Block;
  }[];
}

/** Number of columns that are planned together, because their parts are copied next to each other. */
const COLUMNS = 64;

/** Calls `plan` with each row, or with each group of columns. */
export function forEachLongRow(
  { outer, n, inner }: RowLayout,
  windows: Windows,
  plan: (row: LongRow) => void,
): void {
  const { most } = windows;
  // There must be so few chunks that one binding holds the sums of all of them.
  const fewer = Math.max(1, Math.floor(most / Math.sqrt(1024 * n)));
  const count = Math.min(inner, COLUMNS, fewer);
  for (let o = 0; o < outer; o++) {
    for (let from = 0; from < inner; from += count) {
      const columns = Math.min(count, inner - from);
      // A window ends at a multiple of the length of a chunk, and where the next binding may begin.
      const length = Math.floor(most / columns / 128) * 128 || Math.floor(most / columns);
      const blocks = Array.from({ length: Math.ceil(n / length) }, (_, w) => {
        const first = w * length;
        const size = Math.min(length, n - first);
        const offset = (o * n + first) * inner + from;
        const block = { offset, runs: size, length: columns, stride: inner };
        return { first, count: size, block };
      });
      plan({ outer: o, from, columns, length, blocks });
    }
  }
}

/** The tiling of a window of a long row. All chunks have the same length, and none stays in registers. */
export function tileLong(layout: RowLayout, caps: Capabilities): ChunkTiling {
  const tiling = tileChunks(layout, caps);
  const block = caps.tuning.rowBlock;
  return {
    ...tiling,
    constants: { ...tiling.constants, block_quads: block, padded: 1, in_registers: 0, exact: 0 },
  };
}

// Windows along rows that are longer than a binding, and how each window is shared out to invocations.
import type { Capabilities } from '../../core/kernel.ts';
import type { RowLayout } from '../../core/shape.ts';
import { tileChunks, type ChunkTiling } from './tiling.ts';
import type { Block } from '../windows/regions.ts';
import type { Windows } from '../windows/windows.ts';

/** Some columns of one slice of [outer, n, inner]; all windows but the last are of one length. */
export interface LongRow {
  readonly outer: number;
  /** The first of the columns, and how many. */
  readonly from: number;
  readonly columns: number;
  readonly length: number;
  readonly blocks: readonly {
    readonly first: number;
    readonly count: number;
    readonly block: Block;
  }[];
}

/** Columns that are planned together: their parts are copied side by side. */
const COLUMNS = 64;

/** Calls `plan` with each row, or each few columns. */
export function forEachLongRow(
  { outer, n, inner }: RowLayout,
  windows: Windows,
  plan: (row: LongRow) => void,
): void {
  const { most } = windows;
  // Few enough that one binding spans what is kept of all chunks.
  const fewer = Math.max(1, Math.floor(most / Math.sqrt(1024 * n)));
  const count = Math.min(inner, COLUMNS, fewer);
  for (let o = 0; o < outer; o++) {
    for (let from = 0; from < inner; from += count) {
      const columns = Math.min(count, inner - from);
      // Windows end where a chunk may, and where a binding may begin.
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

/** How a window of a long row is shared out: all chunks have one length, and none stays in registers. */
export function tileLong(layout: RowLayout, caps: Capabilities): ChunkTiling {
  const tiling = tileChunks(layout, caps);
  const block = caps.tuning.rowBlock;
  return {
    ...tiling,
    constants: { ...tiling.constants, block_quads: block, padded: 1, in_registers: 0, exact: 0 },
  };
}

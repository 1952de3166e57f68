// Parts of tensors: memory, what is in it, and which of its elements are meant.
import { BYTES } from '../../core/dtype.ts';
import type { AdapterCapabilities, BufferSlice, View } from '../../core/kernel.ts';

/** Memory, and what is in it. */
export interface Region extends BufferSlice {
  readonly view: View;
}

/** A tensor of a computation by rows: [outer, each, inner]; `null` is bound whole. */
export interface RowRegion extends Region {
  readonly each: number | null;
}

/** Some elements of a tensor: `runs` of `length` neighbours, which begin `stride` apart. */
export interface Block {
  readonly offset: number;
  readonly runs: number;
  readonly length: number;
  readonly stride: number;
}

/** Some elements of a tensor, and which. */
export type Part = readonly [Region, Block];

/** Whether each tensor can be bound whole. */
export function fits(views: readonly View[], { maxBindingSize }: AdapterCapabilities): boolean {
  return views.every(
    ({ size, dtype }) => Math.ceil((size * BYTES[dtype]) / 16) * 16 <= maxBindingSize,
  );
}

export const inputsOf = (views: readonly View[]): Region[] =>
  views.map((view, index) => ({ of: 'input', index, view }));

export const outputsOf = (views: readonly View[]): Region[] =>
  views.map((view, index) => ({ of: 'output', index, view }));

export const viewsOf = (regions: readonly Region[]): View[] => regions.map(({ view }) => view);

export const rowsOf = (region: Region | undefined, each: number | null): RowRegion[] =>
  region ? [{ ...region, each }] : [];

/** Elements together in memory. */
export const stretch = (offset: number, length: number): Block => ({
  offset,
  runs: 1,
  length,
  stride: length,
});

/** The same elements side by side. */
export const denseOf = ({ runs, length }: Block): Block => ({
  offset: 0,
  runs,
  length,
  stride: length,
});

/** A window of neighbours that begins where a binding may, `skip` elements ahead of them. */
export function windowOf(
  { of, index, offset = 0, size, view }: Region,
  first: number,
  count: number,
  caps: AdapterCapabilities,
): BufferSlice & { skip: number } {
  if (fits([view], caps))
    return { of, index, skip: first, ...(size === undefined ? {} : { offset, size }) };
  const bytes = BYTES[view.dtype];
  const start = Math.floor((first * bytes) / caps.offsetAlignment) * caps.offsetAlignment;
  return {
    of,
    index,
    offset: offset + start,
    size: Math.ceil(((first + count) * bytes - start) / 4) * 4,
    skip: first - start / bytes,
  };
}

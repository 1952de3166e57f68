// How the rows of a tensor are shared out to invocations, for every row-wise kernel.
import { BYTES } from '../../core/dtype.ts';
import { rowsByInvocation, rowsByWorkgroup } from '../../shader/lib.ts';
import type { Source } from '../../shader/link.ts';
import {
  foldWorkgroups,
  workgroupSize,
  type Binding,
  type Capabilities,
  type UniformWriter,
  type View,
} from '../../core/kernel.ts';
import type { RowLayout } from '../../core/shape.ts';

/** Elements that kernels load, and count, together. */
const QUAD = 4;
/** Most quads of a block. */
const BLOCK = 4;

/** How rows are shared out. */
export interface RowTiling {
  /** Whether an invocation or a workgroup computes a row, or a chunk of one. Each has a program of its own. */
  readonly unit: 'invocation' | 'workgroup';
  /** What fills the kernel's `rows` slot. */
  readonly source: Source;
  readonly rows: number;
  readonly constants: Readonly<{ workgroup_size: number } & Record<string, number>>;
}

/** The same for kernels that read rows in blocks, and may split them. */
export interface ChunkTiling extends RowTiling {
  /** Chunks of each row, 1 for whole rows. More take two launches: what each chunk adds up to, and what follows from all. */
  readonly chunks: number;
  readonly quads: number;
  readonly chunkQuads: number;
}

/**
 * For kernels that go over a row element by element. A GPU wants thousands of invocations, and neighbours reading neighbours:
 * columns (inner > 1) have that with a row per invocation. Where barriers are dear, a workgroup shares a row only if there
 * are too few rows to go round, or if the work is `quadratic` in the length of a row (Mesa's lavapipe ends an invocation's
 * loops, without a word, after 65,535 steps in all).
 */
export function tileRows(
  { outer, n, inner }: RowLayout,
  caps: Capabilities,
  quadratic = false,
): RowTiling {
  const rows = outer * inner;
  const { rowsByWorkgroup: barriers } = caps.tuning;
  const shared = barriers
    ? inner === 1
      ? n >= 32
      : rows < 1024 && n >= 256
    : quadratic
      ? n > 256
      : rows < 16 && n >= 1024;
  const size = shared ? (barriers && n >= 512 ? 256 : 64) : rowWorkgroup(rows, caps);
  return {
    unit: shared ? 'workgroup' : 'invocation',
    source: shared ? rowsByWorkgroup : rowsByInvocation,
    rows,
    constants: { workgroup_size: workgroupSize(size, caps) },
  };
}

/**
 * For kernels that read rows in blocks. Where barriers are cheap a row has a workgroup, as large as leaves each invocation
 * a block of four quads, up to 256 or what the device takes; so rows to 4,096 elements stay in registers and are read once.
 * Columns (inner > 1) have neighbours with an invocation each. Few rows are split into chunks, for about 512 workgroups or
 * as many invocations as the adapter likes.
 */
export function tileChunks(layout: RowLayout, caps: Capabilities, splits = true): ChunkTiling {
  const { outer, n, inner } = layout;
  const { tuning } = caps;
  const rows = outer * inner;
  const quads = Math.ceil(n / QUAD);
  const byWorkgroup = tuning.rowsByWorkgroup && inner === 1 && n > 32;
  const { invocations, shortest } = byWorkgroup
    ? { invocations: 512, shortest: 4096 }
    : tuning.chunks;
  // What is kept of all chunks, 16 bytes each, has to fit a binding.
  const units = Math.min(invocations, Math.floor(caps.maxBindingSize / 32));
  // A chunk's sum is read by every other one of its row.
  const most = byWorkgroup ? 256 : 128;
  const wanted = splits ? Math.min(Math.ceil(units / rows), Math.floor(n / shortest), most) : 1;
  const perChunk = Math.ceil(quads / Math.max(wanted, 1) / BLOCK) * BLOCK;
  const chunkQuads = wanted > 1 ? perChunk : quads;
  const chunks = Math.max(1, Math.ceil(quads / chunkQuads));
  const size = byWorkgroup
    ? powerOfTwo(chunkQuads / BLOCK, 32, workgroupSize(256, caps))
    : workgroupSize(rowWorkgroup(rows * chunks, caps), caps);
  const lanes = byWorkgroup ? size : 1;
  const perLane = Math.ceil(chunkQuads / lanes);
  // Larger blocks have more loads under way.
  const inRegisters = perLane <= BLOCK;
  const block = inRegisters ? perLane : tuning.rowBlock;
  const padded = inRegisters || block > 1 || n % QUAD !== 0;
  return {
    unit: byWorkgroup ? 'workgroup' : 'invocation',
    source: byWorkgroup ? rowsByWorkgroup : rowsByInvocation,
    rows,
    chunks,
    quads,
    chunkQuads,
    constants: {
      workgroup_size: size,
      block_quads: block,
      padded: Number(padded),
      in_registers: Number(inRegisters),
      exact: Number(inRegisters && !byWorkgroup && chunks === 1),
    },
  };
}

/** Invocations of a workgroup of which each has a unit of its own: 64 workgroups, where that leaves them large enough. */
export function rowWorkgroup(units: number, { tuning }: Capabilities): number {
  const { least, most } = tuning.rowWorkgroup;
  return powerOfTwo(units / 64, least, most);
}

/** The smallest power of two that is at least `x`, within bounds that are powers of two. */
export function powerOfTwo(x: number, least: number, most: number): number {
  let size = least;
  while (size < x && size < most) size *= 2;
  return size;
}

/** Workgroups for as many units: rows, or their chunks. */
export function workgroupsOf(
  { unit, constants }: RowTiling,
  units: number,
  caps: Capabilities,
): [number, number, number] {
  const per = unit === 'workgroup' ? 1 : constants.workgroup_size;
  return foldWorkgroups(Math.ceil(units / per), caps);
}

/** The head of a row kernel's uniforms: n, inner, rows, chunks, quads, chunk_quads. */
export function writeTiling(
  writer: UniformWriter,
  { n, inner }: RowLayout,
  { rows, chunks, quads, chunkQuads }: ChunkTiling,
): UniformWriter {
  return writer.u32(n, inner, rows, chunks, quads, chunkQuads);
}

/** Some of the outer slices of [outer, n, inner], as a tensor of its own. */
export interface RowWindow {
  readonly layout: RowLayout;
  /** Slices ahead of it. */
  readonly first: number;
  /** Whether it is not the whole: then its bindings have an offset and a size. */
  readonly part: boolean;
}

/**
 * Windows of whole slices, of n · inner elements, that a binding can span. A window starts where a binding may, at a
 * multiple of 256 bytes: none for slices too long for that, or for any binding.
 */
export function windowsOf(
  layout: RowLayout,
  views: readonly View[],
  { maxBindingSize, offsetAlignment }: Capabilities,
): readonly RowWindow[] {
  const { outer, n, inner } = layout;
  const slice = n * inner;
  const bytes = views.map(({ dtype }) => BYTES[dtype]);
  const most = Math.max(...bytes) * slice;
  const whole = { layout, first: 0, part: false };
  if (outer * most <= maxBindingSize) return [whole];
  // Together so many slices are a multiple of the alignment.
  const step = offsetAlignment / powerOfTwoIn(Math.min(...bytes) * slice, offsetAlignment);
  const slices = Math.floor(maxBindingSize / most / step) * step;
  if (slices === 0) return [];
  return Array.from({ length: Math.ceil(outer / slices) }, (_, k) => {
    const first = k * slices;
    return { layout: { n, inner, outer: Math.min(slices, outer - first) }, first, part: true };
  });
}

/** The largest power of two that divides `x`, up to a bound that is one. */
function powerOfTwoIn(x: number, most: number): number {
  let power = 1;
  while (power < most && x % (2 * power) === 0) power *= 2;
  return power;
}

/** A binding of a window of a tensor in the rows' layout. */
export function windowBinding(
  binding: Binding,
  { layout: { outer, n, inner }, first, part }: RowWindow,
  view: View | undefined,
): Binding {
  if (!part || !view) return binding;
  const slice = n * inner * BYTES[view.dtype];
  return { ...binding, offset: first * slice, size: Math.ceil((outer * slice) / 4) * 4 };
}

/** Calls `visit` with the first index of each row; its elements are `inner` apart. */
export function forEachRow(
  { outer, n, inner }: RowLayout,
  visit: (base: number, row: number) => void,
): void {
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) visit(o * n * inner + i, o * inner + i);
  }
}

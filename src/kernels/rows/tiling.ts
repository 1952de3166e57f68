// The tiling of row kernels: how the rows of a tensor are divided among invocations and workgroups.
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

/** The number of elements of a quad. */
const QUAD = 4;
/** The largest number of quads of a block. */
const BLOCK = 4;

/** How rows are divided among invocations or workgroups. */
export interface RowTiling {
  /** Whether a workgroup, and not an invocation, computes a row or a chunk of a row. The two have different programs. */
  readonly unit: 'invocation' | 'workgroup';
  /** The source for the kernel's `rows` slot. */
  readonly source: Source;
  readonly rows: number;
  readonly constants: Readonly<{ workgroup_size: number } & Record<string, number>>;
}

/** The same for kernels that read rows in blocks and may divide them into chunks. */
export interface ChunkTiling extends RowTiling {
  /** Chunks per row; 1 for whole rows. More chunks need two launches: one sums each chunk, the other combines the sums. */
  readonly chunks: number;
  readonly quads: number;
  readonly chunkQuads: number;
}

/**
 * The tiling for kernels that read a row element by element. A GPU needs thousands of invocations, and neighbouring
 * invocations should read neighbouring memory. For rows along an inner dimension (inner > 1) one invocation per row does
 * that. Where barriers are slow, a workgroup shares a row only if there are too few rows for all invocations, or if the work
 * is `quadratic` in the length of a row. (Mesa's lavapipe silently ends the loops of an invocation after 65,535 steps.)
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
 * The tiling for kernels that read rows in blocks. Where barriers are fast, a workgroup computes a row. It has so many
 * invocations that each reads one block of four quads, up to 256 or the limit of the device. Rows of up to 4,096 elements
 * then stay in registers and are read once. For rows along an inner dimension (inner > 1), an invocation computes a row. If
 * there are few rows, they are divided into chunks, so that there are about 512 workgroups, or as many invocations as
 * `Tuning` asks for.
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
  // One binding must hold the sums of all chunks, 16 bytes each.
  const units = Math.min(invocations, Math.floor(caps.maxBindingSize / 32));
  // Every chunk of a row reads the sums of all others, so there should not be too many.
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
  // With larger blocks more loads are in flight at a time.
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

/**
 * The size of workgroups whose invocations each compute a row or a chunk. There are 64 workgroups, if that leaves them large
 * enough.
 */
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

/** The workgroups for a number of units, which are rows or chunks. */
export function workgroupsOf(
  { unit, constants }: RowTiling,
  units: number,
  caps: Capabilities,
): [number, number, number] {
  const per = unit === 'workgroup' ? 1 : constants.workgroup_size;
  return foldWorkgroups(Math.ceil(units / per), caps);
}

/** Writes the first uniforms of a row kernel: n, inner, rows, chunks, quads, chunk_quads. */
export function writeTiling(
  writer: UniformWriter,
  { n, inner }: RowLayout,
  { rows, chunks, quads, chunkQuads }: ChunkTiling,
): UniformWriter {
  return writer.u32(n, inner, rows, chunks, quads, chunkQuads);
}

/** A window: some of the outer slices of [outer, n, inner], as a tensor of its own. */
export interface RowWindow {
  readonly layout: RowLayout;
  /** Number of slices before it. */
  readonly first: number;
  /** Whether it is only a part of the tensor. Its bindings then have an offset and a size. */
  readonly part: boolean;
}

/**
 * Windows of whole slices of n · inner elements, each small enough for a binding. A window must start where a binding may
 * start, at a multiple of 256 bytes. If slices are too long for that, or for any binding, there are no windows.
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
  // The bytes of so many slices are a multiple of the alignment.
  const step = offsetAlignment / powerOfTwoIn(Math.min(...bytes) * slice, offsetAlignment);
  const slices = Math.floor(maxBindingSize / most / step) * step;
  if (slices === 0) return [];
  return Array.from({ length: Math.ceil(outer / slices) }, (_, k) => {
    const first = k * slices;
    return { layout: { n, inner, outer: Math.min(slices, outer - first) }, first, part: true };
  });
}

/** The largest power of two that divides `x`, but at most `most`, which is a power of two. */
function powerOfTwoIn(x: number, most: number): number {
  let power = 1;
  while (power < most && x % (2 * power) === 0) power *= 2;
  return power;
}

/** The binding of a window of a tensor whose shape is that of the rows. */
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

// In: a tensor seen as rows. Out: how the rows are spread over invocations, for every row-wise kernel.
import { BYTES } from '../dtype.ts';
import { rowsByInvocation, rowsByWorkgroup } from '../gpu/lib.ts';
import type { Source } from '../gpu/link.ts';
import {
  FEW,
  foldWorkgroups,
  workgroupSize,
  type Binding,
  type Capabilities,
  type UniformWriter,
  type View,
} from '../kernel.ts';
import type { RowLayout } from '../shape.ts';

/** Elements that kernels load, and count, together. */
const QUAD = 4;
/** Most quads of a block. */
const BLOCK = 4;

/** How rows, or chunks of them, are spread. */
export interface RowSpread {
  /** What has a row, or a chunk: distinguishes programs. */
  readonly unit: 'invocation' | 'workgroup';
  /** What fills the kernel's `rows` slot. */
  readonly source: Source;
  readonly rows: number;
  /** Chunks of each row, 1 for whole rows. More take two launches: what each chunk adds up to, and what follows from all. */
  readonly chunks: number;
  readonly quads: number;
  readonly chunkQuads: number;
  readonly constants: Readonly<{ workgroup_size: number } & Record<string, number>>;
}

/**
 * A software adapter runs invocations one after another, in each core, and barriers are dear (5 µs for a workgroup of 32,
 * 79 µs for one of 256; a row of 1,000 takes 5 µs): there a row is always one invocation's, and few rows are split into
 * about 256 chunks. A GPU wants thousands of invocations, and neighbours reading neighbours: a workgroup a row, as large as
 * leaves each invocation a block of four quads, up to 256 or what the device takes; so rows to 4,096 elements stay in registers and are read once.
 * Columns (inner > 1) have neighbours with an invocation each. Few rows are split there too, into chunks for about 512
 * workgroups or 16,384 invocations.
 */
export function spreadRows(layout: RowLayout, caps: Capabilities, splits = true): RowSpread {
  const { outer, n, inner } = layout;
  const rows = outer * inner;
  const quads = Math.ceil(n / QUAD);
  const byWorkgroup = !caps.software && inner === 1 && n > 32;
  const [wished, shortest, most] = caps.software
    ? [256, 512, 128]
    : byWorkgroup
      ? [512, 4096, 256]
      : [16384, 64, 128];
  // What is kept of all chunks, 16 bytes each, has to fit a binding.
  const units = Math.min(wished, Math.floor(caps.maxBindingSize / 32));
  // A chunk's sum is read by every other one of its row.
  const wanted = splits ? Math.min(Math.ceil(units / rows), Math.floor(n / shortest), most) : 1;
  const perChunk = Math.ceil(quads / Math.max(wanted, 1) / BLOCK) * BLOCK;
  const chunkQuads = wanted > 1 ? perChunk : quads;
  const chunks = Math.max(1, Math.ceil(quads / chunkQuads));
  const size = byWorkgroup
    ? powerOfTwo(chunkQuads / BLOCK, 32, workgroupSize(256, caps))
    : caps.software
      ? // Shares for several cores, of few sizes: each is a pipeline.
        rows * chunks < 2048
        ? 16
        : 64
      : 64;
  const lanes = byWorkgroup ? size : 1;
  const perLane = Math.ceil(chunkQuads / lanes);
  // Larger blocks have more loads under way, but take a software adapter long to compile.
  const held = perLane <= BLOCK;
  const block = held ? perLane : caps.software ? 1 : BLOCK;
  const padded = held || block > 1 || n % QUAD !== 0;
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
      held: Number(held),
      exact: Number(held && !byWorkgroup && chunks === 1),
    },
  };
}

/** Workgroup size of kernels that go element by element. */
export const ROWS_EACH = 16;
/** Longest row there: longer ones are split. */
const LONGEST_EACH = 512;

/**
 * Whether rows are few and short enough to be gone through element by element on a software adapter: that takes up to
 * 50 µs longer by a call, and compiles in half of the time, 20 ms less.
 */
export function isFew(
  { outer, n, inner }: RowLayout,
  views: readonly View[],
  { software, maxBindingSize }: Capabilities,
): boolean {
  const size = outer * n * inner;
  return (
    software &&
    n <= LONGEST_EACH &&
    size <= FEW &&
    size * 4 <= maxBindingSize &&
    views.every(({ dtype }) => dtype === 'float32')
  );
}

/** The smallest power of two that is at least `x`, within bounds that are powers of two. */
function powerOfTwo(x: number, least: number, most: number): number {
  let size = least;
  while (size < x && size < most) size *= 2;
  return size;
}

/** Workgroups for as many units: rows, or their chunks. */
export function workgroupsOf(
  { unit, constants }: RowSpread,
  units: number,
  caps: Capabilities,
): [number, number, number] {
  const per = unit === 'workgroup' ? 1 : constants.workgroup_size;
  return foldWorkgroups(Math.ceil(units / per), caps);
}

/** The head of a row kernel's uniforms: n, inner, rows, chunks, quads, chunk_quads. */
export function writeSpread(
  writer: UniformWriter,
  { n, inner }: RowLayout,
  { rows, chunks, quads, chunkQuads }: RowSpread,
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

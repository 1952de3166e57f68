// Sorts positions by the rows that their indices name, on the host and on the GPU: pairs of row and position, those of one
// row in order. Indices out of range, and that of the padding, count as one row more, the last.
import sortText from '../../../shaders/kernels/embedding/sort.wgsl?raw';
import {
  UniformWriter,
  workgroupSize,
  type Binding,
  type Capabilities,
  type Launch,
  type Plan,
} from '../../core/kernel.ts';
import { cachedProgram, source } from '../../shader/link.ts';

const kernel = /* @__PURE__ */ source('kernels/embedding/sort.wgsl', sortText);

/** Entries that are counted against each other, each by an invocation; more are sorted by digits. */
const RANKED = 2048;
const DIGITS = 256;
/** Most blocks that share a pass over the digits. */
const BLOCKS = 64;

export interface SortArgs {
  readonly count: number;
  /** Rows of the table. */
  readonly rows: number;
  /** The row that is left out. */
  readonly padding: number | null;
  /** Other keys than indices: WGSL as of `ENTRIES.indices`. The same object each time, as programs are cached by it. */
  readonly keys?: { readonly wgsl: string };
}

const ENTRIES = {
  indices: `@group(0) @binding(1) var<storage, read> indices: array<i32>;
fn key_of(i: u32) -> u32 {
  let key = bitcast<u32>(indices[i]);
  return select(key, u.rows, (key >= u.rows) | (key == u.padding));
}
fn entry_of(i: u32) -> vec2u {
  return vec2u(key_of(i), i);
}
`,
  pairs: `@group(0) @binding(1) var<storage, read> pairs: array<vec2u>;
fn key_of(i: u32) -> u32 {
  return pairs[i].x;
}
fn entry_of(i: u32) -> vec2u {
  return pairs[i];
}
`,
};

/** Launches that write the sorted pairs of input 0, indices, to output 0. */
export function planSort({ count, rows, padding, keys }: SortArgs, caps: Capabilities): Plan {
  const size = workgroupSize(256, caps);
  const blocks = Math.min(BLOCKS, Math.ceil(count / size));
  const tiles = Math.ceil(count / (size * blocks));
  const launch = (
    entry: string,
    from: 'indices' | 'pairs',
    bindings: readonly Binding[],
    shift: number,
    workgroups: number,
  ): Launch => ({
    program: cachedProgram(
      from === 'indices' && keys ? keys : kernel,
      from,
      'sort',
      kernel,
      () => ({ entries: from === 'indices' && keys ? keys.wgsl : ENTRIES[from] }),
    ),
    entry,
    constants: { workgroup_size: size },
    bindings,
    uniforms: new UniformWriter(6).u32(count, tiles, blocks, shift, rows, padding ?? 2 ** 32 - 1)
      .buffer,
    workgroups: [workgroups, 1, 1],
  });
  const given: Binding = { slot: 1, of: 'input', index: 0, access: 'read' };
  const result: Binding = { slot: 2, of: 'output', index: 0, access: 'write' };
  if (count <= RANKED) {
    const groups = Math.ceil(count / size);
    return { launches: [launch('rank', 'indices', [given, result], 0, groups)], scratch: [] };
  }
  const passes = Math.ceil((32 - Math.clz32(rows)) / 8);
  const histogram: Binding = { slot: 3, of: 'scratch', index: 0, access: 'write' };
  const between: Binding = { slot: 2, of: 'scratch', index: 1, access: 'write' };
  const launches: Launch[] = [];
  let [from, kind]: [Binding, 'indices' | 'pairs'] = [given, 'indices'];
  for (let pass = 0; pass < passes; pass++) {
    const to = (passes - pass) % 2 === 1 ? result : between;
    const shift = 8 * pass;
    launches.push(
      launch('count', kind, [from, histogram], shift, blocks),
      launch('scan', kind, [histogram], shift, 1),
      launch('scatter', kind, [from, to, histogram], shift, blocks),
    );
    from = { ...to, slot: 1, access: 'read' };
    kind = 'pairs';
  }
  return { launches, scratch: [4 * DIGITS * blocks, ...(passes > 1 ? [8 * count] : [])] };
}

/** The same on the host. */
export function sortedPairs(
  indices: ArrayLike<number>,
  { count, rows, padding }: SortArgs,
): Int32Array<ArrayBuffer> {
  const keys = Uint32Array.from({ length: count }, (_, i) => {
    const index = indices[i] ?? -1;
    return index < 0 || index >= rows || index === padding ? rows : index;
  });
  let order = Uint32Array.from(keys, (_, i) => i);
  const bits = 11;
  for (let shift = 0; rows >> shift > 0 && shift < 32; shift += bits) {
    const places = new Uint32Array(2 ** bits);
    const digit = (i: number): number => ((keys[i] ?? 0) >>> shift) & (2 ** bits - 1);
    for (let i = 0; i < count; i++) places[digit(i)] = (places[digit(i)] ?? 0) + 1;
    let next = 0;
    for (let d = 0; d < places.length; d++) {
      const here = places[d] ?? 0;
      places[d] = next;
      next += here;
    }
    const sorted = new Uint32Array(count);
    for (const i of order) {
      const place = places[digit(i)] ?? 0;
      sorted[place] = i;
      places[digit(i)] = place + 1;
    }
    order = sorted;
  }
  const pairs = new Int32Array(2 * count);
  order.forEach((i, k) => {
    pairs[2 * k] = keys[i] ?? rows;
    pairs[2 * k + 1] = i;
  });
  return pairs;
}

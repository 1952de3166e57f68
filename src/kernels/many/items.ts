// Kernels that work through many tensors in few launches: as many of them as a launch may bind, each in its own workgroups. WGSL
// has no index for bindings: a switch chooses the tensor, the same for all of a workgroup, and what is computed is there once.
import { BYTES, type DType } from '../../core/dtype.ts';
import {
  UniformWriter,
  workgroupSize,
  type Binding,
  type BufferSlice,
  type Capabilities,
  type Launch,
  type OptionPlace,
  type View,
} from '../../core/kernel.ts';
import { float16 } from '../../shader/lib.ts';
import { cachedProgram, source, type Source } from '../../shader/link.ts';
import {
  paramsStruct,
  writeParams,
  type ParamLayout,
  type ParamValues,
} from '../../shader/params.ts';

/** A tensor that each item has: its name in the shader, and what is done with it. */
export interface Role {
  readonly name: string;
  readonly access: 'read' | 'write';
}

/** Tensors of one length that are processed together, or a window of them: a slice and a dtype for each role. */
export interface Item {
  readonly slices: readonly BufferSlice[];
  readonly dtypes: readonly DType[];
  /** Elements. */
  readonly count: number;
  readonly params?: ParamValues;
  /** Which of the call's sets of options they are. */
  readonly set?: number;
}

/** What is to be launched over items. */
export interface Work {
  /** The object that lives as long as its programs. */
  readonly owner: object;
  readonly label: string;
  readonly kernel: Source;
  readonly entry: string;
  readonly roles: readonly Role[];
  readonly items: readonly Item[];
  /** Buffers that every launch binds. */
  readonly shared: readonly Binding[];
  readonly constants?: Readonly<Record<string, number>>;
  /** Two numbers for the kernel's own use. */
  readonly numbers?: readonly [number, number];
  /** Options of each item, and WGSL that uses them. */
  readonly params?: ParamLayout;
  readonly code?: () => Source;
  /** The least packs of an invocation. */
  readonly packs: number;
}

const WORKGROUP = 64;
/** No more items in a launch, whatever it may bind: the switches grow, and so does the block of uniforms. */
const MOST_ITEMS = 8;

/** Items of a launch at most. */
export function itemsPerLaunch(
  roles: number,
  shared: number,
  { maxStorageBuffers }: Pick<Capabilities, 'maxStorageBuffers'>,
): number {
  return Math.min(MOST_ITEMS, Math.max(1, Math.floor((maxStorageBuffers - shared) / roles)));
}

/** Items for tensors of one size, one for each role: several where they are longer than a binding. */
export function windowsOf(
  slices: readonly BufferSlice[],
  views: readonly View[],
  caps: Capabilities,
  params?: ParamValues,
): Item[] {
  const size = views[0]?.size ?? 0;
  const dtypes = views.map(({ dtype }) => dtype);
  const widest = Math.max(...dtypes.map((dtype) => BYTES[dtype]));
  const most = Math.max(1024, Math.floor(caps.maxBindingSize / widest / 1024) * 1024);
  const options = params ? { params } : {};
  if (size <= most) return size === 0 ? [] : [{ slices, dtypes, count: size, ...options }];
  return Array.from({ length: Math.ceil(size / most) }, (_, w): Item => {
    const first = w * most;
    const count = Math.min(most, size - first);
    const windows = slices.map((slice, r): BufferSlice => {
      const bytes = BYTES[dtypes[r] ?? 'float32'];
      return { ...slice, offset: first * bytes, size: Math.ceil((count * bytes) / 16) * 16 };
    });
    return { slices: windows, dtypes, count, ...options };
  });
}

/** The launches, and how many invocations they have in all: an invocation's number in them begins at `u.first`. */
export function launchesOf(
  work: Work,
  caps: Capabilities,
): { launches: Launch[]; invocations: number } {
  const { roles, items, shared } = work;
  const workgroup = workgroupSize(WORKGROUP, caps);
  const most = itemsPerLaunch(roles.length, shared.length, caps);
  const count = Math.ceil(items.length / most);
  const launches: Launch[] = [];
  let invocations = 0;
  for (let l = 0; l < count; l++) {
    // Even shares: so there are few kinds of launches, and few pipelines.
    const from = Math.ceil((l * items.length) / count);
    const some = items.slice(from, Math.ceil(((l + 1) * items.length) / count));
    const { launch, groups } = launchOf(work, some, invocations, workgroup, caps);
    launches.push(launch);
    invocations += groups * workgroup;
  }
  return { launches, invocations };
}

const packsOf = ({ count }: Item): number => Math.ceil(count / 4);

function launchOf(
  work: Work,
  items: readonly Item[],
  first: number,
  workgroup: number,
  caps: Capabilities,
): { launch: Launch; groups: number } {
  const { roles, shared, constants = {}, numbers = [0, 0], params } = work;
  const total = items.reduce((sum, item) => sum + packsOf(item), 0);
  const room = workgroup * Math.max(1, caps.maxWorkgroups - items.length);
  const perLane = Math.max(1, work.packs, Math.ceil(total / room));
  const perGroup = workgroup * perLane;
  const { interleaved } = caps.tuning;
  const words = 8 + items.length * (4 + 4 * Math.ceil((params?.names.length ?? 0) / 4));
  const writer = new UniformWriter(words)
    .u32(perGroup, interleaved ? 1 : perLane, interleaved ? workgroup : 1)
    .u32(interleaved ? perGroup - workgroup + 1 : perLane, first, 0)
    .f32(...numbers);
  const places: OptionPlace[] = [];
  let groups = 0;
  for (const item of items) {
    writer.u32(packsOf(item), item.count, groups, 0);
    groups += Math.ceil(packsOf(item) / perGroup);
    if (!params) continue;
    places.push({ set: item.set ?? 0, offset: writer.offset, layout: params });
    writeParams(writer, params, item.params ?? {});
    for (let rest = params.names.length; rest % 4 !== 0; rest++) writer.u32(0);
  }
  const dtypes = items.map((item) => item.dtypes);
  const bindings = items.flatMap(({ slices }, k) =>
    roles.map(({ access }, r): Binding => ({
      slot: slotOf(k, r, roles),
      access,
      ...sliceOf(slices[r]),
    })),
  );
  return {
    groups,
    launch: {
      program: cachedProgram(work.owner, dtypes.join(';'), work.label, work.kernel, () => ({
        items: itemsSource(work, dtypes),
      })),
      entry: work.entry,
      constants: { ...constants, workgroup_size: workgroup },
      bindings: [...bindings, ...shared],
      uniforms: writer.buffer,
      places,
      workgroups: [groups, 1, 1],
    },
  };
}

const slotOf = (item: number, role: number, roles: readonly Role[]): number =>
  1 + item * roles.length + role;

function sliceOf(slice: BufferSlice | undefined): BufferSlice {
  if (!slice) throw new RangeError('an item without a tensor for a role');
  return slice;
}

/** The `items` slot: uniforms, bindings, and a load, and for what is written a store, of each role. */
function itemsSource(work: Work, dtypes: readonly (readonly DType[])[]): Source {
  const { roles, params } = work;
  const code = work.code?.();
  const lines = [
    ...(params ? [code?.text ?? '', paramsStruct(params)] : []),
    'struct Item {',
    '  @align(16) packs: u32,',
    '  count: u32,',
    '  group: u32,',
    `  unused: u32,${params ? ' op: Params,' : ''}`,
    '}',
    'struct Uniforms {',
    '  per_group: u32, per_lane: u32, step: u32, span: u32,',
    '  first: u32, zero: u32, numbers: vec2f,',
    `  items: array<Item, ${dtypes.length}>,`,
    '}',
    '@group(0) @binding(0) var<uniform> u: Uniforms;',
    'fn item_of(group: u32) -> u32 {',
    '  var item = 0u;',
    `  for (var k = 1u; k < ${dtypes.length}u; k++) { item = select(item, k, group >= u.items[k].group); }`,
    '  return item;',
    '}',
  ];
  roles.forEach(({ name, access }, r) => {
    const kinds = dtypes.map((own) => own[r] ?? 'float32');
    const mode = access === 'read' ? 'read' : 'read_write';
    kinds.forEach((dtype, k) => {
      const type = dtype === 'float16' ? 'vec2u' : 'vec4f';
      const slot = slotOf(k, r, roles);
      lines.push(`@group(0) @binding(${slot}) var<storage, ${mode}> ${name}${k}: array<${type}>;`);
    });
    const cases = (one: (k: number, dtype: DType) => string): string[] =>
      kinds.map((dtype, k) => {
        const label = k === kinds.length - 1 ? 'default' : `case ${k}u`;
        return `    ${label}: { ${one(k, dtype)} }`;
      });
    lines.push(
      `fn load_${name}(item: u32, i: u32) -> vec4f {`,
      '  switch (item) {',
      ...cases((k, dtype) =>
        dtype === 'float16'
          ? `let h = ${name}${k}[i]; return vec4f(unpack_half2(h.x), unpack_half2(h.y));`
          : `return ${name}${k}[i];`,
      ),
      '  }',
      '}',
    );
    if (access === 'read') return;
    lines.push(
      `fn store_${name}(item: u32, i: u32, v: vec4f) {`,
      '  switch (item) {',
      ...cases((k, dtype) =>
        dtype === 'float16'
          ? `${name}${k}[i] = vec2u(pack_half2(v.xy), pack_half2(v.zw));`
          : `${name}${k}[i] = v;`,
      ),
      '  }',
      '}',
    );
  });
  const text = lines.join('\n');
  const includes = code?.includes ?? [];
  if (!dtypes.flat().includes('float16')) return source('items', text, includes);
  return source('items', `//#include "lib/float16.wgsl"\n${text}`, [float16, ...includes]);
}

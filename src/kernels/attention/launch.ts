// Makes the launches of attention: their programs, bindings and uniforms.
import kernelText from '../../../shaders/kernels/attention/attention.wgsl?raw';
import forwardTilesText from '../../../shaders/kernels/attention/forward.wgsl?raw';
import backwardTilesText from '../../../shaders/kernels/attention/backward.wgsl?raw';
import tilesText from '../../../shaders/kernels/attention/tiles.wgsl?raw';
import backwardRowsText from '../../../shaders/software/attention-backward.wgsl?raw';
import forwardRowsText from '../../../shaders/software/attention-forward.wgsl?raw';
import pairsText from '../../../shaders/software/attention-pairs.wgsl?raw';
import {
  foldWorkgroups,
  UniformWriter,
  workgroupSize,
  type Binding,
  type Capabilities,
  type Launch,
  type OptionPlace,
} from '../../core/kernel.ts';
import { anchoredExp, div, fragments } from '../../shader/lib.ts';
import { cachedProgram, source, type Source } from '../../shader/link.ts';
import { windowOf, type Region } from '../windows/regions.ts';
import {
  batchesOf,
  MOST_DIMS,
  sharedHeads,
  type AttentionArgs,
  type AttentionShape,
} from './args.ts';
import { accessOf, SLOTS, type AttentionTensors } from './bindings.ts';

const kernel = /* @__PURE__ */ source('kernels/attention/attention.wgsl', kernelText, [
  anchoredExp,
  div,
]);
const tiles = /* @__PURE__ */ source('kernels/attention/tiles.wgsl', tilesText, [fragments]);
const forwardTiles = /* @__PURE__ */ source('kernels/attention/forward.wgsl', forwardTilesText, [
  tiles,
]);
const backwardTiles = /* @__PURE__ */ source('kernels/attention/backward.wgsl', backwardTilesText, [
  tiles,
]);
const pairs = /* @__PURE__ */ source('software/attention-pairs.wgsl', pairsText, [anchoredExp]);
const forwardRows = /* @__PURE__ */ source('software/attention-forward.wgsl', forwardRowsText, [
  pairs,
]);
const backwardRows = /* @__PURE__ */ source('software/attention-backward.wgsl', backwardRowsText, [
  pairs,
]);

/** An entry point, and how many workgroups, or invocations, one batch takes. */
export interface Entry {
  readonly name: string;
  readonly file: Source;
  readonly constants: Readonly<Record<string, number>>;
  readonly workgroups: (batches: number) => number;
}

/** Entry points of which an invocation has four rows, four keys, a row or an element of the mask, of so many in a batch. */
export function entryOfRows(name: string, each: number, caps: Capabilities): Entry {
  const size = workgroupSize(caps.tuning.rowWorkgroup.least, caps);
  return {
    name,
    file: name === 'forward_rows' ? forwardRows : backwardRows,
    constants: { workgroup_size: size },
    workgroups: (batches) => Math.ceil((batches * each) / size),
  };
}

/** Entry points of which a workgroup has a tile: of rows, or of keys. */
export function entryOfTiles(
  name: 'forward_tiles' | 'backward_query_tiles' | 'backward_key_tiles',
  { rows, keys, columns, valueColumns, ...args }: AttentionShape,
  wanted: { readonly key: boolean; readonly value: boolean } = { key: false, value: false },
): Entry {
  const blocks = (width: number): number => Math.max(1, Math.ceil(width / 64));
  const value = { value_blocks: blocks(valueColumns) };
  const both = { ...value, column_blocks: blocks(columns) };
  const choice = { with_key: Number(wanted.key), with_value: Number(wanted.value) };
  const constants = {
    forward_tiles: value,
    backward_query_tiles: { column_blocks: both.column_blocks },
    backward_key_tiles: { ...both, ...choice },
  }[name];
  const ofKeys = name === 'backward_key_tiles';
  const tiles = Math.ceil((ofKeys ? keys : rows) / 32);
  const step = ofKeys ? sharedHeads(args) : 1;
  return {
    name,
    file: name === 'forward_tiles' ? forwardTiles : backwardTiles,
    constants,
    workgroups: (batches) => (batches / step) * tiles,
  };
}

/** Batches of a launch, in the numbering of all. */
export interface Part {
  readonly first: number;
  readonly count: number;
}

/** A tensor of a launch: its slot, and the elements of it that belong to the batches of the launch. */
export interface Bound {
  readonly slot: number;
  readonly region: Region;
  readonly access: 'read' | 'write';
  readonly from: number;
  readonly count: number;
}

export function launchAttention(
  args: AttentionArgs,
  entry: Entry,
  has: AttentionTensors,
  bound: readonly Bound[],
  part: Part,
  caps: Capabilities,
): Launch {
  const access = accessOf(has);
  const starts = new Map<number, number>();
  const bindings = bound.map(({ slot, region, access: how, from, count }): Binding => {
    const { skip, ...window } = windowOf(region, from, count, caps);
    starts.set(slot, from - skip);
    return { slot, ...window, access: how };
  });
  return {
    program: cachedProgram(kernel, `${entry.file.name};${access.key}`, 'attention', kernel, () => ({
      access: access.source(),
      entry: entry.file,
    })),
    entry: entry.name,
    constants: entry.constants,
    bindings,
    ...uniformsOf(args, part, starts),
    workgroups: foldWorkgroups(entry.workgroups(part.count), caps),
  };
}

/** Of a vector of one extent or stride for each batch dimension, those that shaders have. */
const padded = (list: readonly number[], fill: number): number[] => [
  ...new Array<number>(MOST_DIMS - list.length).fill(fill),
  ...list,
];

const KEY = { names: ['key0', 'key1'], integers: ['key0', 'key1'] };

function uniformsOf(
  args: AttentionArgs,
  part: Part,
  starts: ReadonlyMap<number, number>,
): { uniforms: ArrayBuffer; places: OptionPlace[] } {
  const { batch, strides, groups, mask, maskRows, maskKeys, dropout, softcap } = args;
  const startOf = (slot: number): number => starts.get(slot) ?? 0;
  const start = Math.max(
    startOf(SLOTS.result),
    startOf(SLOTS.gradOutput),
    startOf(SLOTS.newResult),
  );
  const row = Math.max(
    startOf(SLOTS.statistics) / 4,
    startOf(SLOTS.newStatistics) / 4,
    startOf(SLOTS.gradSinks),
  );
  const p = dropout?.p ?? 0;
  const writer = new UniformWriter(76)
    .u32(...padded(batch, 1), ...padded(strides.query, 0), ...padded(strides.key, 0))
    .u32(...padded(strides.value, 0), ...padded(strides.mask, 0))
    .u32(part.count, part.first, args.rows, args.keys, args.columns, args.valueColumns)
    .u32(groups.key, groups.value, sharedHeads(args), args.left, args.right)
    .u32(maskRows === 1 || mask === null ? 0 : maskKeys, maskKeys === 1 ? 0 : 1)
    .u32(maskRows, maskKeys, maskDims(args));
  const places = [{ set: 0, offset: writer.offset, layout: KEY }];
  writer
    .u32(dropout?.key0 ?? 0, dropout?.key1 ?? 0)
    .f32(p, p < 1 ? 1 / (1 - p) : 0, args.scale, softcap ?? 1, 1 / (softcap ?? 1))
    .u32(maskRepeats(args), startOf(SLOTS.query), startOf(SLOTS.key), startOf(SLOTS.value))
    .u32(startOf(SLOTS.mask), start, row, startOf(SLOTS.gradQuery), startOf(SLOTS.gradKey))
    .u32(startOf(SLOTS.gradValue), startOf(SLOTS.gradMask));
  return { uniforms: writer.buffer, places };
}

/** A bit for each batch dimension along which the mask is not repeated. */
function maskDims({ strides }: AttentionShape): number {
  return padded(strides.mask, 0).reduce((bits, stride, d) => bits + (stride > 0 ? 2 ** d : 0), 0);
}

/** How many batches share a mask. */
export function maskRepeats(args: AttentionShape): number {
  const own = args.batch.filter((_, d) => (args.strides.mask[d] ?? 0) > 0);
  const batches = batchesOf(args);
  return batches === 0 ? 1 : batches / own.reduce((product, extent) => product * extent, 1);
}

// The launches of a contrastive loss other than products: what an entry point binds, and how many invocations it has.
import {
  foldWorkgroups,
  UniformWriter,
  workgroupSize,
  type Binding,
  type BufferSlice,
  type Capabilities,
  type Launch,
} from '../../core/kernel.ts';
import type { Program, Source } from '../../shader/link.ts';
import { tileRows, workgroupsOf, type RowTiling } from '../rows/tiling.ts';
import type { Chunk, ContrastiveArgs } from './args.ts';
import { programFor, rowsOf, scalarsOf, SLOTS } from './bindings.ts';

export type Entry = 'rows' | 'columns' | 'finish_columns' | 'gradient';
/** Where the tensors are that a call has. */
export type Slices = Partial<Record<keyof typeof SLOTS, BufferSlice>>;

const USED: Readonly<Record<Entry, readonly (keyof typeof SLOTS)[]>> = {
  rows: [
    'products',
    'row_lines',
    'losses',
    'own_products',
    'own_grads',
    'labels',
    'scale',
    'bias',
    'grad_output',
  ],
  columns: ['products', 'parts', 'scale'],
  finish_columns: ['parts', 'losses', 'column_lines', 'grad_output'],
  gradient: [
    'products',
    'row_lines',
    'column_lines',
    'labels',
    'scale',
    'bias',
    'sums',
    'grad_output',
  ],
};

/** What all launches of a call have in common. */
export interface LaunchSetting {
  readonly args: ContrastiveArgs;
  readonly program: Program;
  readonly tiling: RowTiling;
  /** How many invocations of `columns` share a column. */
  readonly segments: number;
  /** Of `gradient`: a multiple of 64, so that a binding may begin behind so many sums. */
  readonly invocations: number;
  readonly slices: Slices;
  readonly caps: Capabilities;
}

/** `most` is the largest number of rows of a chunk. */
export function settingOf(
  args: ContrastiveArgs,
  form: Source,
  most: number,
  slices: Slices,
  caps: Capabilities,
): LaunchSetting {
  const { columns } = args;
  const tiling = tileRows({ outer: most, n: columns, inner: 1 }, caps);
  // If there are too few columns to keep the GPU busy, several invocations share one.
  const shared = Math.ceil(caps.tuning.logitsInvocations / Math.max(columns, 1));
  const size = workgroupSize(256, caps);
  const workgroups = Math.ceil((most * columns) / size / 4);
  return {
    args,
    program: programFor(args, form, tiling),
    tiling,
    segments: Math.max(1, Math.min(64, shared, Math.ceil(most / 32))),
    invocations: Math.min(Math.max(workgroups, 1), 256, caps.maxWorkgroups) * size,
    slices,
    caps,
  };
}

/** `fresh`: the chunk comes first, so that sums over chunks begin with it. */
export function contrastiveLaunch(
  { args, program, tiling, segments, invocations, slices, caps }: LaunchSetting,
  entry: Entry,
  chunk: Chunk | null,
  fresh: boolean,
): Launch {
  const { columns, rows, views } = args;
  const { count, at } = chunk ?? { count: 0, at: 0 };
  const own = { workgroup_size: workgroupSize(entry === 'gradient' ? 256 : 64, caps) };
  const constants = entry === 'rows' ? tiling.constants : own;
  const needed = { columns: columns * segments, finish_columns: columns, gradient: invocations };
  return {
    program,
    entry,
    constants,
    bindings: USED[entry].flatMap((name): Binding[] => {
      const place = slices[name];
      const [slot, access] = SLOTS[name];
      return place ? [{ slot, access, of: place.of, index: place.index }] : [];
    }),
    uniforms: new UniformWriter(16)
      .u32(count, columns, at, rowsOf(args), rows, views, segments, invocations)
      .u32(Number(fresh), 0)
      .f32(...scalarsOf(args)).buffer,
    workgroups:
      entry === 'rows'
        ? workgroupsOf(tiling, count, caps)
        : foldWorkgroups(Math.ceil(needed[entry] / constants.workgroup_size), caps),
  };
}

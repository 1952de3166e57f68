// Plans what makes one result of each row of [outer, n, inner]: the largest element and where it is, the logarithm of a sum
// of exponentials.
import kernelText from '../../../shaders/kernels/row-reduce/row-reduce.wgsl?raw';
import type { DType } from '../../core/dtype.ts';
import {
  UniformWriter,
  type Binding,
  type Capabilities,
  type Kernel,
  type Launch,
  type Plan,
  type View,
} from '../../core/kernel.ts';
import type { RowLayout } from '../../core/shape.ts';
import { bits, rowBlocks } from '../../shader/lib.ts';
import { cachedProgram, source, type Source } from '../../shader/link.ts';
import { accessKey, accessSource, isPacked, rowAccess, type RowTensor } from '../rows/bindings.ts';
import { forEachLongRow, tileLong } from '../rows/long-rows.ts';
import {
  forEachRow,
  tileChunks,
  workgroupsOf,
  writeTiling,
  type ChunkTiling,
  type RowTiling,
} from '../rows/tiling.ts';
import { gather } from '../../cpu/rows.ts';
import {
  fits,
  inputsOf,
  outputsOf,
  rowsOf,
  stretch,
  viewsOf,
  type Region,
} from '../windows/regions.ts';
import type { Windows } from '../windows/windows.ts';

const kernel = /* @__PURE__ */ source('kernels/row-reduce/row-reduce.wgsl', kernelText, [
  bits,
  rowBlocks,
]);

/** What can be stored of each row: fields of the WGSL struct `Result`. */
export type RowResult = 'value' | 'index' | 'row_max' | 'log_sum';

/** What is computed of each row. Declared once, at module level. */
export interface RowReduction {
  readonly name: string;
  /** WGSL, for rows of which each is an invocation's or a workgroup's. */
  readonly source: (unit: RowTiling['unit']) => Source;
  /** What an element is that is not there. */
  readonly fill: string;
  /** The same in float64. */
  readonly reference: (x: Float64Array) => Readonly<Partial<Record<RowResult, number>>>;
}

export interface RowReduceArgs {
  readonly op: RowReduction;
  /** n is at least 1. */
  readonly layout: RowLayout;
  /** What the outputs are, in order. */
  readonly results: readonly RowResult[];
}

export const rowReduce: Kernel<RowReduceArgs> = {
  name: 'rowReduce',
  float16: 'native',
  // Two rows share a word of float16.
  widens: () => true,
  plan,
  cpu: ({ op, layout, results }, [x], outputs) => {
    const row = new Float64Array(layout.n);
    if (!x) return;
    forEachRow(layout, (base, r) => {
      gather(x, base, layout.inner, row);
      const values = op.reference(row);
      results.forEach((name, k) => {
        const output = outputs[k];
        if (output) output[r] = values[name] ?? NaN;
      });
    });
  },
};

const X: Binding = { slot: 1, of: 'input', index: 0, access: 'read' };
/** Of outputs, from here on. */
const FIRST_OUTPUT = 3;

function plan(
  args: RowReduceArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const { layout } = args;
  if (fits([...inputs, ...outputs], caps)) return planWhole(args, layout, inputs, caps);
  const windows = caps.windows(caps);
  const [x] = inputsOf(inputs);
  const outs = outputsOf(outputs);
  const planned = windows.rows(
    layout,
    rowsOf(x, layout.n),
    outs.flatMap((region) => rowsOf(region, 1)),
    ({ outer, inner }, from) => planWhole(args, { outer, n: layout.n, inner }, viewsOf(from), caps),
  );
  if (!planned && x) planLongRows(args, windows, x, outs);
  return windows;
}

function planWhole(
  args: RowReduceArgs,
  layout: RowLayout,
  inputs: readonly View[],
  caps: Capabilities,
): Plan {
  const tiling = tileChunks(layout, caps);
  const { rows, chunks } = tiling;
  const launch = launcherFor(args, layout, tiling, inputs[0]?.dtype ?? 'float32', caps);
  const writes = args.results.map((_, index): Binding => ({
    slot: FIRST_OUTPUT + index,
    of: 'output',
    index,
    access: 'write',
  }));
  if (chunks === 1) return { launches: [launch('reduce_rows', [X, ...writes], rows)], scratch: [] };
  const parts: Binding = { slot: 2, of: 'scratch', index: 0, access: 'write' };
  return {
    launches: [
      launch('reduce_parts', [X, parts], rows * chunks),
      launch('reduce_finish', [parts, ...writes], rows),
    ],
    scratch: [rows * chunks * 8],
  };
}

/** Rows longer than a binding: each window along them leaves what its chunks add up to, before all are put together. */
function planLongRows(
  args: RowReduceArgs,
  windows: Windows,
  x: Region,
  outputs: readonly Region[],
): void {
  const { caps } = windows;
  const { layout } = args;
  let parts: Region | undefined;
  forEachLongRow(layout, windows, ({ outer, from, columns, length, blocks }) => {
    const tiling = tileLong({ outer: 1, n: length, inner: columns }, caps);
    const chunksOf = (count: number): number => Math.ceil(Math.ceil(count / 4) / tiling.chunkQuads);
    const chunks = blocks.reduce((sum, { count }) => sum + chunksOf(count), 0);
    const all = (parts ??= windows.keep(chunks * columns * 2));
    let before = 0;
    for (const { first, count, block } of blocks) {
      const own = chunksOf(count);
      const place = stretch(before * columns * 2, own * columns * 2);
      before += own;
      windows.part(() => {
        const read = windows.read(x, block);
        const made = windows.write(all, place);
        const here = { outer: 1, n: count, inner: columns };
        const quads = Math.ceil(count / 4);
        const launch = launcherFor(
          args,
          here,
          { ...tiling, quads, chunks: own },
          read.view.dtype,
          caps,
          first,
        );
        const bindings: Binding[] = [X, { slot: 2, of: 'output', index: 0, access: 'write' }];
        windows.add(
          { launches: [launch('reduce_parts', bindings, own * columns)], scratch: [] },
          [read],
          [made],
        );
      });
    }
    windows.part(() => {
      const targets = outputs.map((output) =>
        windows.write(output, stretch(outer * layout.inner + from, columns)),
      );
      const made = windows.read(all, stretch(0, chunks * columns * 2));
      const launch = launcherFor(
        args,
        { outer: 1, n: length, inner: columns },
        { ...tiling, chunks },
        'float32',
        caps,
      );
      const bindings: Binding[] = [
        { slot: 2, of: 'output', index: targets.length, access: 'write' },
        ...targets.map((_, index): Binding => ({
          slot: FIRST_OUTPUT + index,
          of: 'output',
          index,
          access: 'write',
        })),
      ];
      windows.add(
        { launches: [launch('reduce_finish', bindings, columns)], scratch: [] },
        [],
        [...targets, made],
      );
    });
  });
}

/** A function that makes the launches for some rows; `first`: elements of each row ahead of them. */
function launcherFor(
  { op, results }: RowReduceArgs,
  layout: RowLayout,
  tiling: ChunkTiling,
  dtype: DType,
  caps: Capabilities,
  first = 0,
): (entry: string, bindings: readonly Binding[], units: number) => Launch {
  const tensors: RowTensor[] = [
    { slot: 1, name: 'x', dtype, access: 'read', packed: isPacked(layout), fill: op.fill },
  ];
  const stores = results.map((name, k) => ({
    declaration: `@group(0) @binding(${FIRST_OUTPUT + k}) var<storage, read_write> out${k}: array<${name === 'index' ? 'i32' : 'f32'}>;`,
    statement: `  out${k}[row] = ${name === 'index' ? 'i32(v.index)' : `v.${name}`};`,
  }));
  const store = [
    ...stores.map(({ declaration }) => declaration),
    'fn store_result(row: u32, v: Result) {',
    ...stores.map(({ statement }) => statement),
    '}\n',
  ].join('\n');
  const program = cachedProgram(
    op,
    `${tiling.unit};${accessKey(tensors)};${results.join()}`,
    op.name,
    kernel,
    () => ({
      rows: tiling.source,
      access: accessSource(rowAccess(tensors) + store, [dtype]),
      op: op.source(tiling.unit),
    }),
  );
  const uniforms = writeTiling(new UniformWriter(7), layout, tiling).u32(first).buffer;
  return (entry, bindings, units) => ({
    program,
    entry,
    constants: tiling.constants,
    bindings,
    uniforms,
    workgroups: workgroupsOf(tiling, units, caps),
  });
}

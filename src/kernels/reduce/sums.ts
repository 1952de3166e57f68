// Plans sums over the middle dimension of a tensor seen as [outer, n, inner].
import kernelText from '../../../shaders/kernels/reduce/reduce.wgsl?raw';
import { sum } from '../../shader/lib.ts';
import { program, source } from '../../shader/link.ts';
import {
  plannerOf,
  UniformWriter,
  workgroupSize,
  type AdapterCapabilities,
  type BufferSlice,
  type Capabilities,
  type Launch,
  type Plan,
  type View,
} from '../../core/kernel.ts';
import type { RowLayout } from '../../core/shape.ts';
import { fits, inputsOf, outputsOf, rowsOf, stretch, type Region } from '../windows/regions.ts';
import { Windows } from '../windows/windows.ts';
import { reduceKernel, type SumLayout } from './plan.ts';

const reduceProgram = /* @__PURE__ */ program(
  'reduce',
  /* @__PURE__ */ source('kernels/reduce/reduce.wgsl', kernelText, [sum]),
);

const WORKGROUP = 64;
/** The longest row that one workgroup sums by itself. */
const FINISH = 65536;

/**
 * Launches that sum rows from one buffer to another. `scratchIndex` is the index of the first scratch buffer that it
 * may need. `by` is where the divisor is, if it is known only on the GPU; then there must be a single result.
 */
export function planSum(
  layout: SumLayout,
  from: BufferSlice,
  to: BufferSlice,
  scratchIndex: number,
  caps: AdapterCapabilities,
  by?: BufferSlice,
): Plan {
  const { outer, n, inner, divisor } = layout;
  const results = outer * inner;
  // A few long rows would leave the GPU idle, so they are split, into up to about 4,096 invocations of at least 64
  // elements.
  const most = Math.min(4096, Math.floor(caps.maxBindingSize / 16));
  const splits = Math.max(1, Math.min(Math.ceil(most / results), Math.floor(n / 64)));
  const single = results === 1;
  if (single && n <= FINISH) {
    return {
      launches: [
        launch({ ...layout, splits: 1 }, from, to, caps, by ? 'finish_divided' : 'finish', by),
      ],
      scratch: [],
    };
  }
  if (splits === 1) {
    return { launches: [launch({ ...layout, splits }, from, to, caps, 'sum')], scratch: [] };
  }
  const scratch: BufferSlice = { of: 'scratch', index: scratchIndex };
  const first = launch(
    { ...layout, divisor: 1, toPairs: true, splits },
    from,
    scratch,
    caps,
    'sum',
  );
  const second = planSum(
    { outer, n: splits, inner, divisor, pairs: true },
    scratch,
    to,
    scratchIndex + 1,
    caps,
    by,
  );
  return {
    launches: [first, ...second.launches],
    scratch: [results * splits * 8, ...second.scratch],
  };
}

/** Launches that divide one sum of `n` terms by another sum, for a mean whose weights are known only on the GPU. */
export function planRatio(
  n: number,
  terms: BufferSlice,
  weights: BufferSlice,
  to: BufferSlice,
  scratchIndex: number,
  caps: AdapterCapabilities,
): Plan {
  const layout: SumLayout = { outer: 1, n, inner: 1, divisor: 1 };
  if (n <= FINISH) {
    return {
      launches: [launch({ ...layout, splits: 1 }, terms, to, caps, 'finish_ratio', weights)],
      scratch: [],
    };
  }
  const divisor: BufferSlice = { of: 'scratch', index: scratchIndex };
  const below = planSum(layout, weights, divisor, scratchIndex + 1, caps);
  const above = planSum(layout, terms, to, scratchIndex + 1 + below.scratch.length, caps, divisor);
  return {
    launches: [...below.launches, ...above.launches],
    scratch: [4, ...below.scratch, ...above.scratch],
  };
}

function launch(
  {
    outer,
    n,
    inner,
    divisor,
    splits,
    pairs = false,
    toPairs = false,
  }: SumLayout & { splits: number; toPairs?: boolean },
  from: BufferSlice,
  to: BufferSlice,
  caps: AdapterCapabilities,
  kind: 'sum' | 'finish' | 'finish_divided' | 'finish_ratio',
  by?: BufferSlice,
): Launch {
  const results = outer * splits * inner;
  const workgroups =
    kind !== 'sum' ? 1 : Math.max(1, Math.min(Math.ceil(results / WORKGROUP), caps.maxWorkgroups));
  return {
    program: reduceProgram,
    entry: kind,
    constants: {
      ...(kind === 'sum'
        ? {}
        : { workgroup_size: workgroupSize(caps.tuning.finishWorkgroup, caps) }),
      ...(pairs ? { pairs: 1 } : {}),
      ...(toPairs ? { to_pairs: 1 } : {}),
    },
    bindings: [
      { slot: 1, ...from, access: 'read' },
      { slot: 2, ...to, access: 'write' },
      ...(by ? [{ slot: 3, ...by, access: 'read' as const }] : []),
    ],
    uniforms: new UniformWriter(8)
      .u32(n, inner, splits, results, workgroups * WORKGROUP, 0)
      .f32(...reciprocalOf(divisor)).buffer,
    workgroups: [workgroups, 1, 1],
  };
}

/** 1 / divisor as the sum of two float32, because a large count is not exact as one float32. 0 for a divisor of 0. */
function reciprocalOf(divisor: number): [high: number, low: number] {
  if (divisor === 0) return [0, 0];
  const high = Math.fround(1 / divisor);
  return [high, 1 / divisor - high];
}

const INPUT: BufferSlice = { of: 'input', index: 0 };
const OUTPUT: BufferSlice = { of: 'output', index: 0 };

/** Adds to a plan the sums of tensors of any size. `by` is the same as in `planSum`. */
export function addSums(
  windows: Windows,
  layout: SumLayout,
  from: Region,
  to: Region,
  by?: Region,
): void {
  const { caps, most } = windows;
  const { outer, n, inner, divisor } = layout;
  const divided = by ? ({ of: 'input', index: 1 } as const) : undefined;
  const last = (rows: RowLayout, source: Region, target: Region): void => {
    const plan = planSum({ ...rows, divisor }, INPUT, OUTPUT, 0, caps, divided);
    windows.add(plan, [source, ...(by ? [by] : [])], [target]);
  };
  if (fits([from.view, to.view], caps)) {
    windows.part(() => {
      last(layout, from, to);
    });
    return;
  }
  const planned = windows.rows({ outer, inner }, rowsOf(from, n), rowsOf(to, 1), (part) =>
    planSum({ outer: part.outer, n, inner: part.inner, divisor }, INPUT, OUTPUT, 0, caps),
  );
  if (planned) return;
  // Rows longer than a binding: their parts are summed one by one, then these sums, which fit into one binding.
  const columns = Math.min(inner, Math.max(1, Math.floor(most / Math.ceil(Math.sqrt(n)))));
  const length = Math.floor(most / columns);
  const parts = Math.ceil(n / length);
  const sums = windows.keep(parts * columns);
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < inner; c += columns) {
      const width = Math.min(columns, inner - c);
      for (let p = 0; p < parts; p++) {
        const first = p * length;
        const count = Math.min(length, n - first);
        const offset = (o * n + first) * inner + c;
        windows.part(() => {
          const source = windows.read(from, { offset, runs: count, length: width, stride: inner });
          const target = windows.write(sums, stretch(p * width, width));
          const rows = { outer: 1, n: count, inner: width, divisor: 1 };
          windows.add(planSum(rows, INPUT, OUTPUT, 0, caps), [source], [target]);
        });
      }
      windows.part(() => {
        const source = windows.read(sums, stretch(0, parts * width));
        const target = windows.write(to, stretch(o * inner + c, width));
        last({ outer: 1, n: parts, inner: width }, source, target);
      });
    }
  }
}

/** Plans a sum or mean of a tensor of any size. */
export function planSums(
  layout: SumLayout,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Plan {
  const [from] = inputsOf(inputs);
  const [to] = outputsOf(outputs);
  if (!from || !to || fits([from.view, to.view], caps)) {
    return planSum(layout, INPUT, OUTPUT, 0, caps);
  }
  const windows = new Windows(caps);
  addSums(windows, layout, from, to);
  return windows;
}

/** The kernel of sums for plans without a device. */
export const sumsPlanner = /* @__PURE__ */ plannerOf(reduceKernel, planSums);

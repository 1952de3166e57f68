// The kernels of an adaptive softmax besides its layers: rows by index, copies of columns, targets by cluster. Each has its
// launches and its CPU loop.
import { at, atOr } from '../../cpu/rows.ts';
import targetsText from '../../../shaders/kernels/adaptive/cluster-targets.wgsl?raw';
import pickText from '../../../shaders/kernels/adaptive/pick-rows.wgsl?raw';
import { classStatus, grid } from '../../shader/lib.ts';
import { program, source } from '../../shader/link.ts';
import { statusCode } from '../../gpu/status.ts';
import {
  foldWorkgroups,
  UniformWriter,
  workgroupSize,
  type Capabilities,
  type Kernel,
  type Launch,
} from '../../core/kernel.ts';
import {
  fits,
  inputsOf,
  outputsOf,
  rowsOf,
  windowOf,
  type Part,
  type Region,
} from '../windows/regions.ts';
import { planCopy } from '../windows/copy.ts';

const pickProgram = /* @__PURE__ */ program(
  'pickRows',
  /* @__PURE__ */ source('kernels/adaptive/pick-rows.wgsl', pickText),
);
const targetsProgram = /* @__PURE__ */ program(
  'clusterTargets',
  /* @__PURE__ */ source('kernels/adaptive/cluster-targets.wgsl', targetsText, [classStatus, grid]),
);
/** The number of workgroups for `count` elements. Each invocation processes about four of them in a loop. */
function loopOver(
  count: number,
  caps: Capabilities,
): { size: number; workgroups: number; stride: number } {
  const size = workgroupSize(256, caps);
  const workgroups = Math.max(1, Math.min(Math.ceil(count / (4 * size)), caps.maxWorkgroups));
  return { size, workgroups, stride: workgroups * size };
}

export interface PickArgs {
  /** Elements of a row. */
  readonly width: number;
  /** Rows of the result. */
  readonly rows: number;
}

/** Selects the rows that are in one window of x, which has `height` rows from `first` on. */
function pickLaunch(
  width: number,
  rows: number,
  x: Region | undefined,
  first: number,
  height: number,
  caps: Capabilities,
): Launch {
  const { size, workgroups, stride } = loopOver(rows * width, caps);
  const { skip, ...window } =
    x && height < Infinity
      ? windowOf(x, first * width, height * width, caps)
      : { of: 'input' as const, index: 0, skip: 0 };
  return {
    program: pickProgram,
    entry: 'pick',
    constants: { workgroup_size: size },
    bindings: [
      { slot: 1, ...window, access: 'read' },
      { slot: 2, of: 'input', index: 1, access: 'read' },
      { slot: 3, of: 'output', index: 0, access: 'write' },
    ],
    uniforms: new UniformWriter(6).u32(
      width,
      rows * width,
      stride,
      first,
      Math.min(height, 2 ** 32 - 1),
      skip,
    ).buffer,
    workgroups: [workgroups, 1, 1],
  };
}

/** Selects rows of input 0 by the indices of input 1. A negative index gives a row of zeros. */
export const pickRowsKernel: Kernel<PickArgs> = {
  name: 'pickRows',
  float16: 'convert',
  plan: (args, inputs, outputs, caps) => {
    const [x, index] = inputsOf(inputs);
    const [y] = outputsOf(outputs);
    if (!x || fits([...inputs, ...outputs], caps)) {
      return { launches: [pickLaunch(args.width, args.rows, x, 0, Infinity, caps)], scratch: [] };
    }
    const { width, rows } = args;
    const windows = caps.windows(caps);
    // A row of the result is written by the launch for the window of x that contains its source row.
    const height = Math.max(1, Math.floor((windows.most - caps.offsetAlignment / 4) / width));
    const all = Math.floor(x.view.size / width);
    windows.rows(
      { outer: rows, inner: 1 },
      [{ ...x, each: null }, ...rowsOf(index, 1)],
      rowsOf(y, width),
      ({ outer }) => ({
        launches: Array.from({ length: Math.max(1, Math.ceil(all / height)) }, (_, w) =>
          pickLaunch(width, outer, x, w * height, Math.min(height, all - w * height), caps),
        ),
        scratch: [],
      }),
    );
    return windows;
  },
  cpu: ({ width, rows }, [x, index], [y]) => {
    if (!x || !index || !y) return;
    for (let k = 0; k < rows; k++) {
      const row = index[k] ?? -1;
      for (let j = 0; j < width; j++) y[k * width + j] = row < 0 ? 0 : at(x, row * width + j);
    }
  },
};

/** A range of columns of a matrix: the width of the matrix and the first column. */
export interface Columns {
  readonly width: number;
  readonly from: number;
}

export interface ColumnsArgs {
  readonly rows: number;
  /** The number of columns. */
  readonly count: number;
  readonly x: Columns;
  readonly y: Columns;
  /** The column of input 1 that is added to all of them. */
  readonly shift?: Columns;
}

/** Copies columns of input 0 to columns of output 0. Other columns of the output do not change. */
export const columnsKernel: Kernel<ColumnsArgs> = {
  name: 'copyColumns',
  float16: 'convert',
  partial: true,
  plan: ({ rows, count, x, y, shift }, inputs, outputs, caps) => {
    if (rows * count === 0) return { launches: [], scratch: [] };
    const part = (list: readonly Region[], k: number, columns: Columns, length: number): Part => {
      const region = list[k];
      if (!region) throw new RangeError(`no operand ${k}`);
      return [region, { offset: columns.from, runs: rows, length, stride: columns.width }];
    };
    const launches = planCopy(
      part(inputsOf(inputs), 0, x, count),
      part(outputsOf(outputs), 0, y, count),
      caps,
      shift && part(inputsOf(inputs), 1, shift, 1),
    );
    return { launches, scratch: [] };
  },
  cpu: ({ rows, count, x, y, shift }, [from, added], [to]) => {
    if (!from || !to) return;
    for (let row = 0; row < rows; row++) {
      const more = shift ? atOr(added, row * shift.width + shift.from, NaN) : 0;
      for (let j = 0; j < count; j++)
        to[row * y.width + y.from + j] = at(from, row * x.width + x.from + j) + more;
    }
  },
};

export interface ClusterArgs {
  /** The name of the op, for errors. */
  readonly op: string;
  readonly rows: number;
  /** The classes of the cluster, from `low` up to but not including `high`. */
  readonly low: number;
  readonly high: number;
  /** The class index that stands for the cluster in the head. */
  readonly place: number;
  /**
   * The number of all classes for the first cluster, whose launch checks for indices out of range; 0 for other
   * clusters.
   */
  readonly classes: number;
}

/**
 * Inputs: the targets, and the head's targets so far. Outputs: the head's new targets, and the rows of the cluster
 * with their classes in it; both are -1 for rows that are not in the cluster.
 */
export const clusterKernel: Kernel<ClusterArgs> = {
  name: 'clusterTargets',
  float16: 'convert',
  plan: ({ op, rows, low, high, place, classes }, inputs, outputs, caps) => {
    const launch = (count: number, first: number): Launch => ({
      program: targetsProgram,
      entry: 'assign',
      constants: { workgroup_size: 64 },
      bindings: [
        { slot: 1, of: 'input', index: 0, access: 'read' },
        { slot: 2, of: 'input', index: 1, access: 'read' },
        { slot: 3, of: 'output', index: 0, access: 'write' },
        { slot: 4, of: 'output', index: 1, access: 'write' },
        { slot: 5, of: 'output', index: 2, access: 'write' },
        { slot: 11, of: 'status', index: 0, access: 'write' },
      ],
      uniforms: new UniformWriter(7)
        .u32(count)
        .i32(low, high, place)
        .u32(classes, statusCode(op), first).buffer,
      workgroups: foldWorkgroups(Math.ceil(count / 64), caps),
    });
    if (fits([...inputs, ...outputs], caps)) return { launches: [launch(rows, 0)], scratch: [] };
    const windows = caps.windows(caps);
    windows.rows(
      { outer: rows, inner: 1 },
      inputsOf(inputs).map((region) => ({ ...region, each: 1 })),
      outputsOf(outputs).map((region) => ({ ...region, each: 1 })),
      ({ outer, first }) => ({ launches: [launch(outer, first)], scratch: [] }),
    );
    return windows;
  },
  cpu: ({ rows, low, high, place, classes }, [targets, head], [next, index, relative]) => {
    if (!targets || !head || !next || !index || !relative) return;
    for (let row = 0; row < rows; row++) {
      const target = targets[row] ?? -1;
      const here = target >= low && target < high;
      const wrong = classes > 0 && (target < 0 || target >= classes);
      next[row] = wrong ? -1 : here ? place : (head[row] ?? -1);
      index[row] = here ? row : -1;
      relative[row] = here ? target - low : -1;
    }
  },
};

// Plans the gradient of a table: the sum of the rows of gradients of each index, from positions in the order of their
// indices, for tensors of any size; with the CPU loop.
import type { NumericArray } from '../../core/dtype.ts';
import {
  foldWorkgroups,
  UniformWriter,
  workgroupSize,
  type Binding,
  type Capabilities,
  type Kernel,
  type Launch,
  type Plan,
  type View,
} from '../../core/kernel.ts';
import { fits, inputsOf, outputsOf, stretch, type Region } from '../windows/regions.ts';
import type { Windows } from '../windows/windows.ts';
import { programOf } from './segment-bindings.ts';
import { planSort, sortedPairs, type SortArgs } from './sort.ts';

/** Entries that an invocation adds up: as in the shader. */
const BLOCK = 32;

export interface TableGradArgs extends SortArgs {
  /** Elements of a row. */
  readonly width: number;
  /** Whether what a row of the table receives is divided by how often it was named. */
  readonly divided?: boolean;
}

/**
 * Inputs: the indices, the gradients of the rows that they took, and, where the host knows the indices, their sorted pairs. Output:
 * the gradient of the table. Additions are in one order, whoever sorts.
 */
export const tableGradKernel: Kernel<TableGradArgs> = {
  name: 'tableGrad',
  float16: 'native',
  // Rows may share a word.
  widens: ({ width }) => width % 4 !== 0,
  plan: planTableGrad,
  cpu: (args, [indices, gradOutput], [y]) => {
    if (indices && gradOutput && y) computeTableGrad(args, indices, gradOutput, y);
  },
};

function computeTableGrad(
  args: TableGradArgs,
  indices: NumericArray,
  gradOutput: NumericArray,
  y: NumericArray,
): void {
  const { count, rows, width, divided } = args;
  y.fill(0);
  const pairs = sortedPairs(indices, args);
  const total = new Float64Array(width);
  let named = 0;
  for (let k = 0; k < count; k++) {
    const [row = rows, position = 0] = pairs.subarray(2 * k, 2 * k + 2);
    if (row >= rows) return;
    named++;
    for (let j = 0; j < width; j++) {
      total[j] = (total[j] ?? NaN) + (gradOutput[position * width + j] ?? NaN);
    }
    if (k + 1 < count && pairs[2 * k + 2] === row) continue;
    const divisor = divided ? named : 1;
    for (let j = 0; j < width; j++) y[row * width + j] = (total[j] ?? NaN) / divisor;
    total.fill(0);
    named = 0;
  }
}

/** What is computed together: rows and columns of the table, and positions. */
interface Tile {
  readonly rows: number;
  readonly columns: number;
  readonly positions: number;
}

function tileOf(
  { rows, width, count }: TableGradArgs,
  views: readonly View[],
  windows: Windows,
): Tile {
  const { most, caps } = windows;
  // Sorted pairs are two numbers each.
  if (fits(views, caps) && 2 * count <= most) return { rows, columns: width, positions: count };
  const columns = width <= most / 64 ? width : Math.max(4, Math.floor(most / 256) * 4);
  const fit = Math.floor(most / columns);
  // So many rows end where a binding may.
  const together = fit < 128 ? fit : Math.floor(fit / 128) * 128;
  return {
    rows: Math.min(rows, together),
    columns: Math.min(columns, width),
    positions: Math.min(count, together, Math.floor(most / 2)),
  };
}

function planTableGrad(
  args: TableGradArgs,
  inputs: readonly View[],
  outputs: readonly View[],
  caps: Capabilities,
): Windows {
  const { rows, width, count } = args;
  const windows = caps.windows(caps);
  const [indices, gradOutput, known] = inputsOf(inputs);
  const [y] = outputsOf(outputs);
  if (!indices || !gradOutput || !y) return windows;
  const tile = tileOf(args, [gradOutput.view, y.view], windows);
  const sorted: Region[] = [];
  const sizeOfPart = (k: number): number => Math.min(tile.positions, count - k * tile.positions);
  const parts = count === 0 ? 0 : Math.ceil(count / tile.positions);
  for (let k = 0; k < parts; k++) {
    if (known && parts === 1) {
      sorted.push(known);
      continue;
    }
    const n = sizeOfPart(k);
    const to = windows.keep(2 * n);
    sorted.push(to);
    windows.part(() => {
      const from = windows.read(indices, stretch(k * tile.positions, n));
      windows.add(planSort({ ...args, count: n }, caps), [from], [to]);
    });
  }
  // Sums of several parts are rounded once.
  const wide =
    y.view.dtype === 'float16' && parts > 1 ? windows.keep(tile.rows * tile.columns) : null;
  const counts = args.divided && parts > 0 ? windows.keep(tile.rows) : null;
  for (let r = 0; r < rows; r += tile.rows) {
    if (counts) {
      // How often a row is named: the sum of a one for each entry.
      const ones = { ...args, width: 1, first: r, height: Math.min(tile.rows, rows - r) };
      windows.part(() => {
        windows.add(planEach('clear', ones, [], counts.view, caps), [], [counts]);
      });
      sorted.forEach((pairs, k) => {
        const part = { ...ones, count: sizeOfPart(k), divided: false };
        windows.part(() => {
          windows.add(planSums(part, k > 0, null, counts.view, caps), [pairs], [counts]);
        });
      });
    }
    for (let c = 0; c < width; c += tile.columns) {
      const [height, across] = [Math.min(tile.rows, rows - r), Math.min(tile.columns, width - c)];
      const bound = { ...args, width: across, first: r, height };
      windows.part(() => {
        const block = { offset: r * width + c, runs: height, length: across, stride: width };
        const to = windows.write(y, block);
        const sums = wide ?? to;
        windows.add(planEach('clear', bound, [], sums.view, caps), [], [sums]);
        sorted.forEach((pairs, k) => {
          windows.part(() => {
            const n = sizeOfPart(k);
            const offset = k * tile.positions * width + c;
            const rowsOfPart = { offset, runs: n, length: across, stride: width };
            const grads = windows.read(gradOutput, rowsOfPart);
            const part = { ...bound, count: n };
            const plan = planSums(part, k > 0, grads.view, sums.view, caps);
            windows.add(plan, [pairs, grads, ...(counts ? [counts] : [])], [sums]);
          });
        });
        if (wide) {
          const plan = planEach('narrow', bound, [wide.view], to.view, caps);
          windows.add(plan, [wide, wide], [to]);
        }
      });
    }
  }
  return windows;
}

interface Bound extends TableGradArgs {
  /** The rows of the table that are bound. */
  readonly first: number;
  readonly height: number;
}

const uniformsOf = (
  { rows, width, first, height }: Bound,
  count: number,
  blocks: number,
): ArrayBuffer =>
  new UniformWriter(8).u32(count, blocks, Math.ceil(width / 4), width, rows, first, height, 0)
    .buffer;

/** A launch with an invocation for four columns of each row: zeros, or what is at input 1, for output 0. */
function planEach(
  entry: 'clear' | 'narrow',
  bound: Bound,
  from: readonly View[],
  y: View,
  caps: Capabilities,
): Plan {
  const { height, width } = bound;
  const size = workgroupSize(64, caps);
  const bindings: Binding[] = [{ slot: 3, of: 'output', index: 0, access: 'write' }];
  if (from.length > 0) bindings.push({ slot: 2, of: 'input', index: 1, access: 'read' });
  const launch: Launch = {
    program: programOf('dense', from[0] ?? y, y, width),
    entry,
    constants: { workgroup_size: size },
    bindings,
    uniforms: uniformsOf(bound, 0, 0),
    workgroups: foldWorkgroups(Math.ceil((height * Math.ceil(width / 4)) / size), caps),
  };
  return { launches: [launch], scratch: [] };
}

/**
 * Sums of runs of input 0, sorted pairs, whose rows of gradients are in input 1, for output 0; input 2 are divisors of the rows.
 * Without gradients each entry is 1.
 */
function planSums(
  bound: Bound,
  adds: boolean,
  grads: View | null,
  y: View,
  caps: Capabilities,
): Plan {
  const { width, divided = false } = bound;
  const quads = Math.ceil(width / 4);
  const size = workgroupSize(64, caps);
  const launches: Launch[] = [];
  const scratch: number[] = [];
  for (let count = bound.count, level = 0; level === 0 || count > BLOCK; level++) {
    // Each launch leaves two entries of each block of the one before.
    if (level > 0) count = 2 * Math.ceil(count / BLOCK);
    const blocks = Math.ceil(count / BLOCK);
    const leaves = blocks > 1;
    const [keys, sums] = [2 * level - 2, 2 * level - 1];
    const read = { access: 'read' } as const;
    const bindings: Binding[] = [{ slot: 3, of: 'output', index: 0, access: 'write' }];
    if (level > 0) {
      bindings.push(
        { slot: 1, of: 'scratch', index: keys, ...read },
        { slot: 2, of: 'scratch', index: sums, ...read },
      );
    } else {
      bindings.push({ slot: 1, of: 'input', index: 0, ...read });
      if (grads) bindings.push({ slot: 2, of: 'input', index: 1, ...read });
    }
    // What a launch reads of the one before is divided already.
    const divides = divided && level === 0;
    if (divides) bindings.push({ slot: 6, of: 'input', index: 2, ...read });
    if (leaves) {
      bindings.push(
        { slot: 4, of: 'scratch', index: keys + 2, access: 'write' },
        { slot: 5, of: 'scratch', index: sums + 2, access: 'write' },
      );
      scratch.push(8 * blocks, 32 * blocks * quads);
    }
    launches.push({
      program: programOf(level > 0 ? 'left' : grads ? 'pairs' : 'ones', grads ?? y, y, width, {
        leaves,
        divides,
      }),
      entry: 'sum_runs',
      constants: { workgroup_size: size, adds: Number(adds) },
      bindings,
      uniforms: uniformsOf(bound, count, blocks),
      workgroups: foldWorkgroups(Math.ceil((blocks * quads) / size), caps),
    });
    if (!leaves) break;
  }
  return { launches, scratch };
}

// Chooses the kernel for a product by its sizes, and the number of splits of the k terms.
import fewRowsText from '../../../shaders/kernels/matmul/few-rows.wgsl?raw';
import tiledText from '../../../shaders/kernels/matmul/matmul.wgsl?raw';
import directText from '../../../shaders/software/matmul-direct.wgsl?raw';
import directLargeText from '../../../shaders/software/matmul-direct-large.wgsl?raw';
import { matrices } from '../../shader/lib.ts';
import { source, type Source } from '../../shader/link.ts';
import type { Capabilities } from '../../core/kernel.ts';
import { batchesOf, type MatmulArgs } from './args.ts';

const tiled = /* @__PURE__ */ source('kernels/matmul/matmul.wgsl', tiledText, [matrices]);
const fewRows = /* @__PURE__ */ source('kernels/matmul/few-rows.wgsl', fewRowsText, [matrices]);
const direct = /* @__PURE__ */ source('software/matmul-direct.wgsl', directText, [matrices]);
const directLarge = /* @__PURE__ */ source('software/matmul-direct-large.wgsl', directLargeText, [
  matrices,
]);

/** A kernel for products, the size of the tile that a workgroup computes, and how the k terms may be split. */
export interface Variant {
  readonly kernel: Source;
  readonly entry: string;
  readonly rows: number;
  readonly columns: number;
  readonly constants: Readonly<Record<string, number>>;
  /** The number of terms of a split is a multiple of `step` and at least `least`. */
  readonly step: number;
  readonly least: number;
  /** Number of workgroups that keep a GPU busy. With fewer, k is split. */
  readonly wanted: number;
}

/** The largest number of rows (or columns) for which the kernel for few rows is used. */
export const FEW = 8;
const LANES = 128;

const powerOfTwo = (x: number): number => 2 ** Math.ceil(Math.log2(Math.max(x, 1)));

export function variantOf(args: MatmulArgs, caps: Capabilities): Variant {
  const { m, n, k, b } = args;
  const { productWorkgroups } = caps.tuning;
  // Workgroup memory saves bandwidth on a GPU. If the GPU is emulated on a CPU, barriers cost more than that saves.
  if (caps.tuning.matmul === 'direct') {
    const unsplit = { step: k, least: k, wanted: productWorkgroups.direct };
    const tile = { rows: 32, columns: 32, ...unsplit };
    const large = batchesOf(args) * m * n * k >= caps.tuning.largeProduct;
    return large && Math.min(m, n) > FEW
      ? { kernel: directLarge, entry: 'direct_large', constants: {}, ...tile }
      : { kernel: direct, entry: 'direct', constants: { tall: Number(m > 4) }, ...tile };
  }
  if (m > FEW) {
    const tall = m > 32;
    return {
      kernel: tiled,
      entry: 'tiled',
      rows: tall ? 64 : 32,
      columns: 64,
      constants: { tall: Number(tall) },
      step: 32,
      least: 128,
      wanted: productWorkgroups.tiled,
    };
  }
  // Neighbouring lanes read neighbouring memory: at least 128 bytes of a row of B, unless the columns of B are
  // contiguous.
  const least = b[0] === 1 ? 1 : 8;
  const lanes = Math.max(least, LANES / Math.min(LANES, powerOfTwo(k / 4)));
  const columnLanes = Math.min(lanes, powerOfTwo(n / 4));
  const step = (LANES / columnLanes) * 4;
  return {
    kernel: fewRows,
    entry: 'few_rows',
    rows: FEW,
    columns: 4 * columnLanes,
    constants: { tall: Number(m > 4), column_lanes: columnLanes },
    step,
    least: 4 * step,
    wanted: productWorkgroups.fewRows,
  };
}

/** Exchanges A and B, so that columns of C become rows. */
export function exchanged(args: MatmulArgs): MatmulArgs {
  const { m, n, a, b, aBatch, bBatch } = args;
  return {
    ...args,
    m: n,
    n: m,
    a: [b[1], b[0]],
    b: [a[1], a[0]],
    aBatch: bBatch,
    bBatch: aBatch,
  };
}

/**
 * How many parts the k terms are split into, so that there are enough workgroups to keep a GPU busy if there are few
 * results.
 */
export function splitsOf(
  { m, n, k, rowSums }: MatmulArgs,
  batches: number,
  workgroups: number,
  { step, least, wanted }: Variant,
  { maxBindingSize }: Capabilities,
): { splits: number; terms: number } {
  // Sums of rows have two parts. The operands may have been exchanged.
  const rows = rowSums ? 2 * Math.max(m, n) : 0;
  const room = Math.floor(maxBindingSize / (4 * Math.max(batches * m * n, rows)));
  const most = Math.floor(Math.min(wanted / workgroups, k / least, room));
  if (most < 2) return { splits: 1, terms: k };
  const terms = Math.ceil(k / most / step) * step;
  return { splits: Math.ceil(k / terms), terms };
}

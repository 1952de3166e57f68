// Chooses the kernel for a product by its sizes, and into how many parts the k terms are split.
import fewRowsText from '../../../shaders/kernels/matmul/few-rows.wgsl?raw';
import tiledText from '../../../shaders/kernels/matmul/matmul.wgsl?raw';
import directText from '../../../shaders/software/matmul-direct.wgsl?raw';
import { matrices } from '../../shader/lib.ts';
import { source, type Source } from '../../shader/link.ts';
import type { Capabilities } from '../../core/kernel.ts';
import type { MatmulArgs } from './args.ts';

const tiled = /* @__PURE__ */ source('kernels/matmul/matmul.wgsl', tiledText, [matrices]);
const fewRows = /* @__PURE__ */ source('kernels/matmul/few-rows.wgsl', fewRowsText, [matrices]);
const direct = /* @__PURE__ */ source('software/matmul-direct.wgsl', directText, [matrices]);

/** A kernel of a product, what a workgroup of it computes, and how the k terms may be split. */
export interface Variant {
  readonly kernel: Source;
  readonly entry: string;
  readonly rows: number;
  readonly columns: number;
  readonly constants: Readonly<Record<string, number>>;
  /** Terms that workgroups go through at a time; a split has a multiple of them, and not less than `least`. */
  readonly step: number;
  readonly least: number;
  /** Workgroups that keep a GPU busy: with fewer, k is split. */
  readonly wanted: number;
}

/** Most rows, or columns, that do not fill tiles. */
export const FEW = 8;
const LANES = 128;

const powerOfTwo = (x: number): number => 2 ** Math.ceil(Math.log2(Math.max(x, 1)));

export function variantOf({ m, n, k, b }: MatmulArgs, caps: Capabilities): Variant {
  const { productWorkgroups } = caps.tuning;
  // Workgroup memory saves a GPU's bandwidth; where the GPU is a CPU, its barriers cost more than caches save.
  if (caps.tuning.matmul === 'direct') {
    const constants = { tall: Number(m > 4) };
    const unsplit = { step: k, least: k, wanted: productWorkgroups.direct };
    return { kernel: direct, entry: 'direct', rows: 32, columns: 32, constants, ...unsplit };
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
  // Lanes side by side read neighbours in memory: 128 bytes of a row of B, or its columns as far as they go.
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

/** A and B exchanged: C's columns become rows. */
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

/** Parts of the k terms, so that workgroups are enough to keep a GPU busy where results are few. */
export function splitsOf(
  { m, n, k }: MatmulArgs,
  batches: number,
  workgroups: number,
  { step, least, wanted }: Variant,
  { maxBindingSize }: Capabilities,
): { splits: number; terms: number } {
  const room = Math.floor(maxBindingSize / (4 * batches * m * n));
  const most = Math.floor(Math.min(wanted / workgroups, k / least, room));
  if (most < 2) return { splits: 1, terms: k };
  const terms = Math.ceil(k / most / step) * step;
  return { splits: Math.ceil(k / terms), terms };
}

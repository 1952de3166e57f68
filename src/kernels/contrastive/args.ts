// The arguments of the contrastive kernel, and the chunks of rows in which it is computed.
import type { Capabilities } from '../../core/kernel.ts';

/**
 * Which pairs of a row and a column are positive, and what the loss is:
 * - `both`: a row belongs to the column of the same number; losses of rows and of columns.
 * - `logistic`: the same pairs, each pair a loss of its own.
 * - `rows`: the same pairs, losses of rows.
 * - `own`: all columns are negative; a row of `right` is the positive of the row of `left` with the same number.
 * - `views`: the rows of `left`, then those of `right`, against each other; rows of the same number belong together.
 * - `labels`: rows against each other; those with the same label belong together.
 */
export type Pairing = 'both' | 'logistic' | 'rows' | 'own' | 'views' | 'labels';

/** Tensors of a call: embeddings, labels of rows, scalars, the gradient of the loss. */
export type TensorName =
  'left' | 'right' | 'negatives' | 'labels' | 'scale' | 'bias' | 'gradOutput' | 'loss';

export interface ContrastiveArgs {
  readonly pairing: Pairing;
  /** Rows of `left`. */
  readonly rows: number;
  /** Columns of the matrix of similarities. */
  readonly columns: number;
  readonly features: number;
  /** How many neighbouring rows have one label. */
  readonly views: number;
  /** Whether embeddings are divided by their lengths first. */
  readonly normalize: boolean;
  /** What products are multiplied by, and what is added then, where it is no tensor. */
  readonly scale: number;
  readonly bias: number;
  /** Factor of each loss. */
  readonly factor: number;
  readonly reduction: 'none' | 'mean' | 'sum';
  /** The most bytes of similarities that are in memory at a time. */
  readonly memoryBudget: number;
  /** The inputs in order. */
  readonly inputs: readonly TensorName[];
  /** The outputs in order: the loss, and gradients of inputs. */
  readonly outputs: readonly TensorName[];
}

/** What embeddings are divided by at least, as in PyTorch's `normalize`. */
export const EPSILON = 1e-12;

/** The inputs whose rows are the rows of the matrix. */
export function sidesOf({ pairing }: ContrastiveArgs): readonly ('left' | 'right')[] {
  return pairing === 'views' ? ['left', 'right'] : ['left'];
}

/** The input whose rows are the columns of the matrix; null if they are its rows. */
export function columnsOf({ pairing }: ContrastiveArgs): 'right' | 'negatives' | null {
  if (pairing === 'views' || pairing === 'labels') return null;
  return pairing === 'own' ? 'negatives' : 'right';
}

/** The number of losses, and the part of each in the result. */
export function lossesOf(args: ContrastiveArgs): { count: number; share: number } {
  const { pairing, rows, columns, reduction } = args;
  const count = rows * sidesOf(args).length + (pairing === 'both' ? columns : 0);
  return { count, share: reduction === 'mean' ? 1 / count : 1 };
}

/** 0 for a negative pair, 1 for a positive one, 2 for one that does not count. */
export function pairOf(
  { pairing, rows, views }: ContrastiveArgs,
  labels: ArrayLike<number>,
): (row: number, column: number) => 0 | 1 | 2 {
  if (pairing === 'own') return () => 0;
  if (pairing === 'views') {
    return (i, j) => (i === j ? 2 : Math.abs(i - j) === rows ? 1 : 0);
  }
  if (pairing === 'labels') {
    const label = (i: number): number => labels[Math.floor(i / views)] ?? NaN;
    return (i, j) => (i === j ? 2 : label(i) === label(j) ? 1 : 0);
  }
  return (i, j) => (i === j ? 1 : 0);
}

/** A range of rows of one input; `at` is the first of them among all rows. */
export interface Chunk {
  readonly side: 'left' | 'right';
  readonly first: number;
  readonly count: number;
  readonly at: number;
}

/** Fewer rows than these at a time would make products slow. */
const LEAST = 64;

/** Divides the rows into chunks of about equal size whose similarities fit the memory budget. */
export function chunksOf(args: ContrastiveArgs, caps: Capabilities): Chunk[] {
  const { rows, columns, features, normalize, memoryBudget } = args;
  const bytes = 4 * Math.max(columns, features, 1);
  // Rows that are not copied are bound where they are, which must be a multiple of so many bytes.
  let step = 1;
  if (!normalize) while ((4 * features * step) % caps.offsetAlignment !== 0) step *= 2;
  const wanted = Math.max(LEAST, Math.floor(memoryBudget / bytes));
  const most = Math.max(1, Math.floor(Math.min(wanted, caps.maxBindingSize / bytes) / step)) * step;
  const count = Math.ceil(rows / most);
  const size = Math.ceil(rows / Math.max(count, 1) / step) * step;
  return sidesOf(args).flatMap((side, k) =>
    Array.from({ length: count }, (_, i): Chunk => {
      const first = i * size;
      return { side, first, count: Math.min(size, rows - first), at: k * rows + first };
    }).filter((chunk) => chunk.count > 0),
  );
}

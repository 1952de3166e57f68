// Types: the arguments of the attention kernel, and where the matrices of a batch begin.

/** What every direction needs to know. Strides and offsets are in elements. */
export interface AttentionShape {
  /** Extents of the batch dimensions, at most `MOST_DIMS`. The last is that of the heads of the query. */
  readonly batch: readonly number[];
  /** Of each operand, along the batch dimensions. Along the heads those of key and value count their own heads. */
  readonly strides: {
    readonly query: readonly number[];
    readonly key: readonly number[];
    readonly value: readonly number[];
    readonly mask: readonly number[];
  };
  /** How many neighbouring heads of the query share a head of the key, and of the value. */
  readonly groups: { readonly key: number; readonly value: number };
  /** Rows of the query, and rows of key and value. */
  readonly rows: number;
  readonly keys: number;
  /** Columns of query and key, and of value. */
  readonly columns: number;
  readonly valueColumns: number;
  /** Whether the mask says what is kept (int32), is added to the scores, or there is none. */
  readonly mask: 'keep' | 'add' | null;
  /** The extents of the mask's last two dimensions, of which those of 1 are repeated. */
  readonly maskRows: number;
  readonly maskKeys: number;
  readonly sinks: boolean;
  readonly scale: number;
  readonly softcap: number | null;
  /** A row attends to keys from `left` before to `right` after its own index. */
  readonly left: number;
  readonly right: number;
  readonly dropout: { readonly p: number; readonly key0: number; readonly key1: number } | null;
}

export interface AttentionForward extends AttentionShape {
  readonly direction: 'forward';
  /** Whether output 1 receives the statistics of each row. */
  readonly keeps: boolean;
}

/** Which gradients are wanted; the outputs are in this order. */
export interface Wants {
  readonly query: boolean;
  readonly key: boolean;
  readonly value: boolean;
  readonly mask: boolean;
  readonly sinks: boolean;
}

export interface AttentionBackward extends AttentionShape {
  readonly direction: 'backward';
  readonly wants: Wants;
}

/**
 * Inputs of the forward direction: query, key, value, then mask and sinks where there are any. Outputs: the result
 * [batch, rows, valueColumns], then the statistics [batch, rows, 4].
 *
 * Inputs of the backward direction: the same, then result (float32), statistics, and the upstream gradient. Outputs are the
 * gradients that are wanted: of the query [batch, rows, columns], of key and value [key batches, keys, …], of the mask in its
 * own shape, and of the sinks for each row [batch, rows].
 */
export type AttentionArgs = AttentionForward | AttentionBackward;

export const MOST_DIMS = 8;
/** Stands for a window without an end: added to an index it stays within u32. */
export const UNBOUNDED = 0x7fffffff;

export function batchesOf({ batch }: AttentionShape): number {
  return batch.reduce((product, extent) => product * extent, 1);
}

/** Heads of the query that a batch of key and value in the gradient stands for: those that share both. */
export function sharedHeads({ groups }: Pick<AttentionShape, 'groups'>): number {
  return groups.key === groups.value ? groups.key : 1;
}

export interface Places {
  readonly query: number;
  readonly key: number;
  readonly value: number;
  readonly mask: number;
  readonly head: number;
}

/** Where the matrices of a batch begin. */
export function placesOf(args: AttentionShape, batch: number): Places {
  const { strides, groups } = args;
  const last = args.batch.length - 1;
  let rest = batch;
  let head = 0;
  const places = { query: 0, key: 0, value: 0, mask: 0 };
  for (let d = last; d >= 0; d--) {
    const extent = args.batch[d] ?? 1;
    const i = rest % extent;
    rest = (rest - i) / extent;
    if (d === last) head = i;
    const own = d === last;
    places.query += i * (strides.query[d] ?? 0);
    places.key += (own ? Math.floor(i / groups.key) : i) * (strides.key[d] ?? 0);
    places.value += (own ? Math.floor(i / groups.value) : i) * (strides.value[d] ?? 0);
    places.mask += i * (strides.mask[d] ?? 0);
  }
  return { ...places, head };
}

/** Indices of the operands among the inputs; -1 where there is none. */
export function inputsAt({ mask, sinks, direction }: AttentionArgs): {
  readonly mask: number;
  readonly sinks: number;
  readonly result: number;
  readonly statistics: number;
  readonly gradOutput: number;
} {
  let next = 3;
  const at = { mask: mask === null ? -1 : next++, sinks: sinks ? next++ : -1 };
  return direction === 'forward'
    ? { ...at, result: -1, statistics: -1, gradOutput: -1 }
    : { ...at, result: next, statistics: next + 1, gradOutput: next + 2 };
}

/** Indices of the gradients among the outputs; -1 where one is not wanted. */
export function outputsAt({ wants }: AttentionBackward): Record<keyof Wants, number> {
  let next = 0;
  const place = (wanted: boolean): number => (wanted ? next++ : -1);
  return {
    query: place(wants.query),
    key: place(wants.key),
    value: place(wants.value),
    mask: place(wants.mask),
    sinks: place(wants.sinks),
  };
}

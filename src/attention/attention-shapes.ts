// Checks the tensors of an attention call, and gives the arguments of its kernel.
import { OptionError, ShapeError } from '../core/errors.ts';
import {
  broadcastShapes,
  broadcastStrides,
  collapse,
  formatShape,
  type Shape,
} from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import {
  checkBroadcastsTo,
  checkDevice,
  checkRank,
  checkSameDType,
  checkShapeIs,
  checkTensor,
  checkTensors,
} from '../core/validate.ts';
import { checkBoolean, checkNumber } from '../core/validate-options.ts';
import { describe } from '../core/describe.ts';
import { MOST_DIMS, UNBOUNDED, type AttentionShape } from '../kernels/attention/args.ts';

/** The options that shape the scores. */
export interface ScoreOptions {
  readonly attnMask?: Tensor | null;
  readonly isCausal?: boolean;
  readonly scale?: number | null;
  readonly enableGqa?: boolean;
  readonly softcap?: number | null;
  readonly sinks?: Tensor | null;
  readonly window?: number | readonly [left: number, right: number] | null;
}

/** The kernel's arguments but for dropout, and the shapes of results: of all batches, and of those of key and value. */
export interface AttentionLayout {
  readonly shape: Omit<AttentionShape, 'dropout'>;
  /** Batch dimensions, broadcast; the last are the heads. */
  readonly batch: Shape;
}

interface Operands {
  readonly query: Tensor;
  readonly key: Tensor;
  readonly value: Tensor;
}

export function attentionLayout(
  op: string,
  operands: Operands,
  options: ScoreOptions,
): AttentionLayout {
  const { query, key, value } = operands;
  const { attnMask = null, isCausal = false, scale = null, enableGqa = false } = options;
  const { softcap = null, sinks = null, window } = options;
  checkTensors(op, { query, key, value });
  checkBoolean(op, 'isCausal', isCausal);
  checkBoolean(op, 'enableGqa', enableGqa);
  if (scale !== null) {
    checkNumber(op, 'scale', scale, { min: -Number.MAX_VALUE, max: Number.MAX_VALUE });
  }
  if (softcap !== null) {
    checkNumber(op, 'softcap', softcap, { min: 0, above: true, max: Number.MAX_VALUE });
  }
  const [left, right] = windowOf(op, window, isCausal);
  checkRank(op, { query, key, value }, enableGqa ? 3 : 2);
  const [rows = 0, columns = 0] = query.shape.slice(-2);
  const [keys = 0, valueColumns = 0] = value.shape.slice(-2);
  checkColumns(op, key, [keys, columns]);
  const batch = batchOf(op, operands, enableGqa);
  const scores = [...batch, rows, keys];
  if (attnMask !== null) {
    checkTensor(op, 'attnMask', attnMask, ['float32', 'float16', 'int32']);
    checkDevice(op, 'attnMask', attnMask, query.device);
    if (attnMask.dtype !== 'int32') checkSameDType(op, 'attnMask', attnMask, query.dtype);
    if (isCausal) {
      throw new OptionError({
        op,
        argument: 'isCausal',
        expected: 'no attnMask beside it',
        received: 'both',
      });
    }
    checkBroadcastsTo(op, 'attnMask', attnMask, scores);
  }
  const heads = batch.at(-1) ?? 1;
  if (sinks !== null) {
    checkTensor(op, 'sinks', sinks);
    checkDevice(op, 'sinks', sinks, query.device);
    checkSameDType(op, 'sinks', sinks, query.dtype);
    checkShapeIs(op, 'sinks', sinks, [heads]);
  }
  const [maskRows = 1, maskKeys = 1] = attnMask !== null ? [1, 1, ...attnMask.shape].slice(-2) : [];
  return {
    batch,
    shape: {
      ...stridesOf(op, operands, attnMask, batch),
      rows,
      keys,
      columns,
      valueColumns,
      mask: attnMask !== null ? (attnMask.dtype === 'int32' ? 'keep' : 'add') : null,
      maskRows,
      maskKeys,
      sinks: sinks !== null,
      // The products of rows without columns are 0, whatever they are multiplied by.
      scale: scale ?? (columns === 0 ? 1 : 1 / Math.sqrt(columns)),
      softcap,
      left,
      right,
    },
  };
}

function checkColumns(op: string, key: Tensor, wanted: Shape): void {
  const [keys, columns] = key.shape.slice(-2);
  if (columns !== wanted[1]) {
    throw new ShapeError({
      op,
      argument: 'key',
      expected: `${wanted[1] ?? 0} columns, as query has`,
      received: `shape ${formatShape(key.shape)}`,
    });
  }
  if (keys !== wanted[0]) {
    throw new ShapeError({
      op,
      argument: 'value',
      expected: `as many rows as key (${keys ?? 0})`,
      received: String(wanted[0]),
    });
  }
}

function windowOf(
  op: string,
  window: ScoreOptions['window'],
  isCausal: boolean,
): [left: number, right: number] {
  const both: unknown =
    typeof window === 'number' ? [window, window] : (window ?? [Infinity, Infinity]);
  const valid =
    Array.isArray(both) &&
    both.length === 2 &&
    Array.from<unknown>(both).every(
      (n) => n === Infinity || (Number.isSafeInteger(n) && (n as number) >= 0),
    );
  if (!valid) {
    throw new OptionError({
      op,
      argument: 'window',
      expected:
        'how many keys before and after its own a row attends to: an integer of at least 0, Infinity, or two of them',
      received: describe(window),
    });
  }
  const [left = 0, right = 0] = (both as number[]).map((n) => Math.min(n, UNBOUNDED));
  return [left, isCausal ? 0 : right];
}

/** The batch dimensions of the result. Where heads are grouped, the last of them are those of the query. */
function batchOf(op: string, { query, key, value }: Operands, grouped: boolean): number[] {
  const leading = ({ shape }: Tensor): Shape => shape.slice(0, grouped ? -3 : -2);
  const outer = broadcastShapes(op, [leading(query), leading(key)], 'key');
  const all = broadcastShapes(op, [outer, leading(value)], 'value');
  if (!grouped) return all;
  const heads = query.shape.at(-3) ?? 1;
  for (const [argument, { shape }] of Object.entries({ key, value })) {
    const own = shape.at(-3) ?? 1;
    if (own > 0 ? heads % own === 0 : heads === 0) continue;
    throw new ShapeError({
      op,
      argument,
      expected: `a number of heads that divides that of query (${heads})`,
      received: String(own),
    });
  }
  return [...all, heads];
}

/** Batch dimensions with those merged that all operands go through alike. */
function stridesOf(
  op: string,
  { query, key, value }: Operands,
  mask: Tensor | null,
  batch: Shape,
): Pick<AttentionShape, 'batch' | 'strides' | 'groups'> {
  const outer = batch.slice(0, -1);
  const heads = batch.at(-1) ?? 1;
  const operands = [query, key, value, mask].map((tensor) => {
    const shape = tensor?.shape.slice(0, -2) ?? [];
    // Of fewer heads of key and value each is for a group of neighbours.
    const own = shape.at(-1) ?? heads;
    const group = (tensor === key || tensor === value) && own > 0 ? heads / own : 1;
    const matrix = (tensor?.shape ?? []).slice(-2).reduce((product, d) => product * d, 1);
    const strides = broadcastStrides(
      shape,
      [...outer, group > 1 ? own : heads].slice(batch.length === 0 ? 1 : 0),
    );
    return { group, strides: strides.map((s) => s * matrix) };
  });
  const merged = collapse(
    outer,
    operands.map(({ strides }) => strides.slice(0, -1)),
  );
  if (merged.shape.length >= MOST_DIMS) {
    throw new ShapeError({
      op,
      argument: 'query',
      expected: `batch dimensions that merge into at most ${MOST_DIMS - 1}`,
      received: formatShape(batch),
    });
  }
  const [q = [], k = [], v = [], m = []] = operands.map(({ strides }, i) => [
    ...(merged.strides[i] ?? []),
    strides.at(-1) ?? 0,
  ]);
  return {
    batch: [...merged.shape, heads],
    strides: { query: q, key: k, value: v, mask: m },
    groups: { key: operands[1]?.group ?? 1, value: operands[2]?.group ?? 1 },
  };
}

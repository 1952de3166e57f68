// Takes a call of a contrastive loss, and an element of its result or of a gradient, and gives how far off it may be for
// its logits, which are scalar products: float32 adds up terms, whatever they leave.
import {
  lossesOf,
  pairOf,
  type ContrastiveArgs,
  type Pairing,
} from '../../src/kernels/contrastive/args.ts';
import type { Call, TensorSpec } from '../calls.ts';
import { roundHalf } from '../ulp.ts';

type FloatDType = 'float32' | 'float16';

export const SIMILARITIES = [
  'clipLoss',
  'sigLipLoss',
  'infoNceLoss',
  'ntXentLoss',
  'supConLoss',
] as const;

const LARGEST = 2 ** 128 * (1 - 2 ** -24);
/** Upstream gradients are at most 2. */
const UPSTREAM = 2;

/** Embeddings as they are multiplied, and their lengths where they were divided by them. */
interface Rows {
  readonly name: string;
  readonly values: readonly Float64Array[];
  readonly lengths: Float64Array | null;
}

/** The terms of the call's logits, and how far off gradients of logits, and logits, may be. */
interface Errors {
  readonly rows: readonly (readonly [Rows, number])[];
  readonly columns: readonly (readonly [Rows, number])[];
  /** How far the loss of each line may be off. */
  readonly losses: readonly number[];
  readonly share: number;
  /** By row and column: of the gradient of a logit, and the sizes of the gradient and the product. */
  readonly gradients: readonly Float64Array[];
  readonly sizes: readonly Float64Array[];
  readonly products: readonly Float64Array[];
  readonly scale: number;
}

const NAMES: Readonly<Record<string, readonly string[]>> = {
  clipLoss: ['image', 'text'],
  sigLipLoss: ['image', 'text'],
  infoNceLoss: ['query', 'positive'],
  ntXentLoss: ['z1', 'z2'],
  supConLoss: ['features'],
};

function rowsOf(name: string, spec: TensorSpec, dtype: FloatDType, normalize: boolean): Rows {
  const n = spec.shape.at(-1) ?? 1;
  const count = n === 0 ? 0 : spec.data.length / n;
  const values = Array.from({ length: count }, (_, r) =>
    Float64Array.from(spec.data.slice(r * n, r * n + n), (x) =>
      dtype === 'float16' ? roundHalf(x) : x,
    ),
  );
  if (!normalize) return { name, values, lengths: null };
  const lengths = Float64Array.from(values, (row) => Math.max(Math.hypot(...row), 1e-12));
  values.forEach((row, r) => row.forEach((x, k) => (row[k] = x / (lengths[r] ?? NaN))));
  return { name, values, lengths };
}

function scalarOf(call: Call, name: string, absent: number): number {
  return Number(call.optional[name]?.data[0] ?? call.options[name] ?? absent);
}

function errorsOf(call: Call, dtype: FloatDType): Errors {
  const { op, positional, optional, options } = call;
  const normalize =
    op === 'ntXentLoss' || (op in { infoNceLoss: 0, supConLoss: 0 } && options.normalize !== false);
  const read = (name: string, spec: TensorSpec | undefined): Rows =>
    rowsOf(name, spec ?? { shape: [0, 1], dtype: 'float', data: [] }, dtype, normalize);
  const tensors = (NAMES[op] ?? []).map((name) => read(name, positional[name]));
  const listed = (rows: Rows): (readonly [Rows, number])[] => rows.values.map((_, r) => [rows, r]);
  const [left, right = left] = tensors;
  if (!left || !right) throw new Error(`no call of ${op}`);
  const temperature = { infoNceLoss: 0.1, ntXentLoss: 0.5, supConLoss: 0.07 }[op];
  const given = Number(options.temperature ?? temperature);
  const logistic = op === 'sigLipLoss';
  const scale =
    temperature === undefined ? scalarOf(call, 'logitScale', logistic ? 10 : 1 / 0.07) : 1 / given;
  const bias = logistic ? scalarOf(call, 'logitBias', -10) : 0;
  const factor = op === 'supConLoss' ? given / Number(options.baseTemperature ?? 0.07) : 1;
  const pairing: Pairing =
    (
      {
        clipLoss: 'both',
        sigLipLoss: 'logistic',
        ntXentLoss: 'views',
        supConLoss: 'labels',
      } as const
    )[op] ?? 'rows';
  const mirrored = pairing === 'views' || pairing === 'labels';
  const rows = pairing === 'views' ? [...listed(left), ...listed(right)] : listed(left);
  const negatives = optional.negatives ? listed(read('negatives', optional.negatives)) : [];
  // Negatives come behind the positives, of which each row has its own only.
  const columns = mirrored ? rows : [...listed(right), ...negatives];
  const views = positional.features?.shape.length === 3 ? (positional.features.shape[1] ?? 1) : 1;
  const args = {
    pairing,
    rows: left.values.length,
    columns: columns.length,
    views,
    reduction: options.reduction ?? 'mean',
  } as ContrastiveArgs;
  const pairs = pairOf(args, positional.labels?.data ?? []);
  const pairAt = (i: number, j: number): number =>
    optional.negatives && j < right.values.length && j !== i ? 2 : pairs(i, j);
  const share = lossesOf({ ...args, columns: left.values.length }).share * factor;

  const z = rows.map(() => new Float64Array(columns.length));
  const off = rows.map(() => new Float64Array(columns.length));
  const products = rows.map(() => new Float64Array(columns.length));
  rows.forEach(([a, r], i) => {
    columns.forEach(([b, c], j) => {
      const [x, y] = [a.values[r], b.values[c]];
      let [product, size] = [0, 0];
      x?.forEach((v, k) => {
        const term = v * (y?.[k] ?? NaN);
        product += term;
        size += Math.abs(term);
      });
      const terms = (x?.length ?? 0) + (normalize ? 16 : 4);
      const z_ij = scale * product + bias;
      z[i]?.fill(z_ij, j, j + 1);
      products[i]?.fill(size, j, j + 1);
      const error = Math.abs(scale) * terms * 2 ** -24 * size + 2 ** -23 * Math.abs(z_ij);
      // Terms that float32 does not hold may leave anything.
      off[i]?.fill(size > LARGEST && size < Infinity ? 2 * LARGEST : error, j, j + 1);
    });
  });
  const gradients = rows.map(() => new Float64Array(columns.length));
  const sizes = rows.map(() => new Float64Array(columns.length));
  const losses: number[] = [];
  const by = UPSTREAM * share;
  const add = (to: readonly Float64Array[], i: number, j: number, value: number): void => {
    const row = to[i];
    if (row) row[j] = (row[j] ?? 0) + value;
  };
  /** A row or a column: where its logits are. */
  const line = (cells: readonly (readonly [number, number])[]): void => {
    const kept = cells.filter(([i, j]) => pairAt(i, j) !== 2);
    const at = (of: readonly Float64Array[], [i, j]: readonly [number, number]): number =>
      of[i]?.[j] ?? NaN;
    const peak = kept.reduce((most, cell) => Math.max(most, at(z, cell)), -Infinity);
    const floor = kept.reduce(
      (most, cell) => Math.max(most, at(z, cell) - at(off, cell)),
      -Infinity,
    );
    let [log, sum, positive, count] = [0, 0, 0, 0];
    for (const cell of kept) {
      if (at(z, cell) + at(off, cell) > floor - 30) log = Math.max(log, at(off, cell));
      sum += Math.exp(at(z, cell) - peak);
      if (pairAt(...cell) !== 1) continue;
      positive += at(off, cell);
      count++;
    }
    losses.push(count === 0 ? 0 : log + positive / count);
    if (count === 0) return;
    const rounding = (8 + 2 * Math.sqrt(kept.length)) * 2 ** -24;
    for (const [i, j] of kept) {
      const before = at(z, [i, j]) - peak - Math.log(sum);
      const error = 2 * (at(off, [i, j]) + log);
      const p = before + error >= 0 ? 1 : Math.exp(before + error) * -Math.expm1(-error);
      const size = Math.exp(before) + (pairAt(i, j) === 1 ? 1 / count : 0);
      add(gradients, i, j, by * (p + rounding * size));
      add(sizes, i, j, by * size);
    }
  };
  const cellsOf = (i: number): (readonly [number, number])[] => columns.map((_, j) => [i, j]);
  if (logistic) {
    rows.forEach((_, i) => {
      losses.push((off[i] ?? new Float64Array()).reduce((sum, value) => sum + value, 0));
      columns.forEach((__, j) => {
        add(gradients, i, j, by * Math.min(1, (off[i]?.[j] ?? NaN) + 2 ** -20));
        add(sizes, i, j, by);
      });
    });
  } else {
    rows.forEach((_, i) => {
      line(cellsOf(i));
    });
    if (pairing === 'both')
      columns.forEach((_, j) => {
        line(rows.map((__, i) => [i, j]));
      });
    if (mirrored) {
      // A logit has a gradient by way of its column, too.
      const [own, ownSizes] = [
        gradients.map((row) => row.slice()),
        sizes.map((row) => row.slice()),
      ];
      rows.forEach((_, i) => {
        columns.forEach((__, j) => {
          add(gradients, i, j, own[j]?.[i] ?? 0);
          add(sizes, i, j, ownSizes[j]?.[i] ?? 0);
        });
      });
    }
  }
  return { rows, columns, losses, share, gradients, sizes, products, scale };
}

const known = new WeakMap<Call, Map<FloatDType, Errors>>();

/** How far an element may be off for the error of logits alone. */
export function similarityBound(
  call: Call,
  dtype: FloatDType,
  name: string,
  index: number,
): number {
  let all = known.get(call);
  if (!all) known.set(call, (all = new Map<FloatDType, Errors>()));
  const errors = all.get(dtype) ?? errorsOf(call, dtype);
  all.set(dtype, errors);
  const { rows, columns, losses, share, gradients, sizes, products, scale } = errors;
  if (name === 'out') {
    const of = call.options.reduction === 'none' ? [losses[index] ?? NaN] : losses;
    return of.reduce((sum, loss) => sum + share * loss, 0);
  }
  const cells = rows.flatMap((_, i) => columns.map((__, j) => [i, j] as const));
  const at = (of: readonly Float64Array[], i: number, j: number): number => of[i]?.[j] ?? NaN;
  if (name === 'logitScale' || name === 'logitBias') {
    return cells.reduce((sum, [i, j]) => {
      const size = name === 'logitScale' ? at(products, i, j) : 1;
      return sum + (at(gradients, i, j) + 2 ** -20 * at(sizes, i, j)) * size;
    }, 0);
  }
  const spec = { ...call.positional, ...call.optional }[name];
  const n = spec?.shape.at(-1) ?? 1;
  const [row, k] = [Math.floor(index / n), index % n];
  const vector = new Float64Array(n);
  const rounding = (8 + 2 * Math.sqrt(Math.max(rows.length, columns.length))) * 2 ** -24;
  const found: Rows[] = [];
  const visit = (
    [own, r]: readonly [Rows, number],
    [other, c]: readonly [Rows, number],
    i: number,
    j: number,
  ): void => {
    if (own.name !== name || r !== row) return;
    found.push(own);
    const error = Math.abs(scale) * (at(gradients, i, j) + rounding * at(sizes, i, j));
    other.values[c]?.forEach(
      (value, m) => (vector[m] = (vector[m] ?? NaN) + error * Math.abs(value)),
    );
  };
  const mirrored = rows === columns;
  rows.forEach((a, i) => {
    columns.forEach((b, j) => {
      visit(a, b, i, j);
      if (!mirrored) visit(b, a, i, j);
    });
  });
  const lengths = found[0]?.lengths;
  if (!lengths) return vector[k] ?? NaN;
  const unit = found[0]?.values[row];
  const along = vector.reduce((sum, value, m) => sum + value * Math.abs(unit?.[m] ?? NaN), 0);
  return (2 * ((vector[k] ?? NaN) + along * Math.abs(unit?.[k] ?? NaN))) / (lengths[row] ?? NaN);
}

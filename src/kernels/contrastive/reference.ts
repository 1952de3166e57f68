// The float64 loop of contrastive losses. Similarities are computed row by row, twice where gradients are wanted.
import type { NumericArray } from '../../core/dtype.ts';
import { at, atOr } from '../../cpu/rows.ts';
import {
  columnsOf,
  EPSILON,
  lossesOf,
  pairOf,
  sidesOf,
  type ContrastiveArgs,
  type TensorName,
} from './args.ts';
import { wantsGradients } from './bindings.ts';

/** The log-softmax of a row or a column, and its positives. */
class Line {
  // As far down as numbers go, so that -Infinity is apart from it.
  max = -Number.MAX_VALUE;
  /** The sum of e^(z - max) without the largest one. */
  others = -1;
  below = 0;
  count = 0;
  /** The upstream gradient. */
  weight = 0;

  add(z: number): void {
    if (z > this.max) {
      this.others = (this.others + 1) * Math.exp(this.max - z);
      this.max = z;
    } else this.others += Math.exp(z - this.max);
  }

  addPositive(z: number): void {
    this.below += this.max - z;
    this.count++;
  }

  get broken(): boolean {
    return this.others < 0 || Math.abs(this.max) === Infinity;
  }

  get loss(): number {
    if (this.count === 0) return 0;
    return this.broken ? NaN : Math.log1p(this.others) + this.below / this.count;
  }

  /** The gradient of a logit by way of this line's loss. */
  gradient(z: number, positive: boolean): number {
    const { count, weight } = this;
    if (count === 0) return 0;
    if (positive && count === 1) return weight * Math.expm1(-this.loss);
    const p = this.broken ? NaN : Math.exp(z - this.max) / (1 + this.others);
    return weight * (positive ? p - 1 / count : p);
  }
}

/** Embeddings in float64, and what they were divided by. */
interface Rows {
  readonly name: TensorName;
  readonly values: Float64Array;
  readonly lengths: Float64Array | null;
  readonly grad: Float64Array;
}

function read(
  { features: n, normalize }: ContrastiveArgs,
  name: TensorName,
  from: NumericArray,
): Rows {
  const values = Float64Array.from(from);
  const grad = new Float64Array(values.length);
  if (!normalize) return { name, values, lengths: null, grad };
  const lengths = new Float64Array(n === 0 ? 0 : values.length / n);
  lengths.forEach((_, row) => {
    let sum = 0;
    for (let k = row * n; k < row * n + n; k++) sum += at(values, k) ** 2;
    lengths[row] = Math.sqrt(sum);
    const divisor = at(lengths, row) < EPSILON ? EPSILON : at(lengths, row);
    for (let k = row * n; k < row * n + n; k++) values[k] = at(values, k) / divisor;
  });
  return { name, values, lengths, grad };
}

/** The gradient of embeddings from that of what they are after division by their lengths. */
function through({ values, lengths, grad }: Rows, n: number): Float64Array {
  lengths?.forEach((length, row) => {
    const base = row * n;
    const flat = length < EPSILON;
    let dot = 0;
    if (!flat) for (let k = base; k < base + n; k++) dot += at(grad, k) * at(values, k);
    for (let k = base; k < base + n; k++)
      grad[k] = (at(grad, k) - (flat ? 0 : at(values, k) * dot)) / (flat ? EPSILON : length);
  });
  return grad;
}

const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

export function contrastiveReference(
  args: ContrastiveArgs,
  inputs: readonly NumericArray[],
  outputs: readonly NumericArray[],
): void {
  const { pairing, columns, features: n, rows, reduction, factor } = args;
  const input = (name: TensorName): NumericArray | undefined => inputs[args.inputs.indexOf(name)];
  const output = (name: TensorName): NumericArray | undefined =>
    outputs[args.outputs.indexOf(name)];
  const tensors = (['left', 'right', 'negatives'] as const).flatMap((name) => {
    const from = input(name);
    return from ? [read(args, name, from)] : [];
  });
  const byName = (name: TensorName | null): Rows | undefined =>
    tensors.find((t) => t.name === name);
  const sides = sidesOf(args).flatMap((name) => byName(name) ?? []);
  const columnRows = byName(columnsOf(args));
  const own = pairing === 'own' ? byName('right') : undefined;
  const scale = atOr(input('scale'), 0, args.scale);
  const bias = pairing === 'logistic' ? atOr(input('bias'), 0, args.bias) : 0;
  const pairs = pairOf(args, input('labels') ?? []);
  const all = rows * sides.length;

  /** Where row i is: its tensor and its first element. */
  const place = (i: number): [Rows, number] => {
    const side = sides[Math.floor(i / rows)];
    if (!side) throw new RangeError('no such row');
    return [side, (i % rows) * n];
  };
  const columnAt = (j: number): [Rows, number] => (columnRows ? [columnRows, j * n] : place(j));
  const dot = ([a, i]: [Rows, number], [b, j]: [Rows, number]): number => {
    let sum = 0;
    for (let k = 0; k < n; k++) sum += (a.values[i + k] ?? NaN) * (b.values[j + k] ?? NaN);
    return sum;
  };
  const addTo = ([to, i]: [Rows, number], h: number, [from, j]: [Rows, number]): void => {
    for (let k = 0; k < n; k++)
      to.grad[i + k] = (to.grad[i + k] ?? NaN) + h * (from.values[j + k] ?? NaN);
  };
  const products = new Float64Array(columns);
  const multiply = (i: number): void => {
    const row = place(i);
    for (let j = 0; j < columns; j++) products[j] = dot(row, columnAt(j));
  };
  const ownAt = (i: number): [Rows, number] | null => (own ? [own, i * n] : null);

  const { share } = lossesOf(args);
  const upstream = input('gradOutput');
  const weightOf = (i: number): number =>
    factor * share * atOr(upstream, reduction === 'none' ? i : 0, 1);
  const rowLines = Array.from({ length: all }, () => new Line());
  const columnLines = Array.from({ length: pairing === 'both' ? columns : 0 }, () => new Line());
  const lines = [...rowLines, ...columnLines];
  const losses = new Float64Array(lines.length);
  if (pairing === 'logistic') {
    for (let i = 0; i < all; i++) {
      multiply(i);
      for (let j = 0; j < columns; j++) {
        const z = scale * at(products, j) + bias;
        losses[i] = at(losses, i) + softplus(i === j ? -z : z);
      }
    }
  } else {
    const diagonal = new Float64Array(columnLines.length);
    for (const [i, line] of rowLines.entries()) {
      multiply(i);
      const positive = ownAt(i);
      const z = positive ? scale * dot(place(i), positive) : 0;
      if (positive) line.add(z);
      for (let j = 0; j < columns; j++) {
        if (pairs(i, j) === 2) continue;
        line.add(scale * at(products, j));
        columnLines[j]?.add(scale * at(products, j));
      }
      if (positive) line.addPositive(z);
      for (let j = 0; j < columns; j++)
        if (pairs(i, j) === 1) line.addPositive(scale * at(products, j));
      if (i < diagonal.length) diagonal[i] = scale * at(products, i);
    }
    for (const [j, line] of columnLines.entries()) line.addPositive(at(diagonal, j));
    for (const [i, line] of lines.entries()) {
      line.weight = weightOf(i);
      losses[i] = factor * line.loss;
    }
  }
  const loss = output('loss');
  if (loss && reduction === 'none') loss.set(losses);
  else if (loss) {
    const total = losses.reduce((sum, value) => sum + value, 0);
    loss[0] = reduction === 'mean' ? total / losses.length : total;
  }
  if (!wantsGradients(args)) return;

  let [byScale, byBias] = [0, 0];
  const gradientOf = (i: number, j: number, z: number): number => {
    const pair = pairs(i, j);
    if (pair === 2) return 0;
    if (pairing === 'logistic') return weightOf(i) * (pair === 1 ? -sigmoid(-z) : sigmoid(z));
    const mirror = columnRows ? columnLines[j] : rowLines[j];
    return (rowLines[i]?.gradient(z, pair === 1) ?? NaN) + (mirror?.gradient(z, pair === 1) ?? 0);
  };
  for (let i = 0; i < all; i++) {
    multiply(i);
    const row = place(i);
    for (let j = 0; j < columns; j++) {
      const product = at(products, j);
      const g = gradientOf(i, j, scale * product + bias);
      byScale += g * product;
      byBias += g;
      addTo(row, scale * g, columnAt(j));
      if (columnRows) addTo(columnAt(j), scale * g, row);
    }
    const positive = ownAt(i);
    if (!positive) continue;
    const h = scale * (rowLines[i]?.gradient(0, true) ?? NaN);
    addTo(row, h, positive);
    addTo(positive, h, row);
  }
  for (const tensor of tensors) output(tensor.name)?.set(through(tensor, n));
  const [gradScale, gradBias] = [output('scale'), output('bias')];
  if (gradScale) gradScale[0] = byScale;
  if (gradBias) gradBias[0] = byBias;
}

// Takes a call of linearCrossEntropy, and an element of its result or of a gradient, and gives how far off it may be for
// its logits, which are scalar products: float32 adds up terms, whatever they leave.
import { sizeOf } from '../../src/core/shape.ts';
import type { Call, TensorSpec } from '../calls.ts';
import { roundHalf } from '../ulp.ts';

type FloatDType = 'float32' | 'float16';

const LARGEST = 2 ** 128 * (1 - 2 ** -24);
/** Upstream gradients are at most 2. */
const UPSTREAM = 2;

/** Numbers of a row, one for each class but for `sum` and `log`. */
interface Row {
  /** How far a logit may be off. */
  readonly logits: Float64Array;
  /** And the logarithm of the sum of exponentials. */
  readonly log: number;
  /** How far a probability may be off. */
  readonly probabilities: Float64Array;
  /** What a class counts in the loss. */
  readonly shares: Float64Array;
  readonly sum: number;
  /** The terms that a gradient of a logit is the difference of, added up. */
  readonly slopes: Float64Array;
}

interface Sizes {
  readonly batch: number;
  readonly classes: number;
  readonly inner: number;
  readonly features: number;
}

function partsOf({ positional, optional }: Call): {
  readonly sizes: Sizes;
  readonly tensors: Readonly<Record<'input' | 'weights' | 'target', TensorSpec>>;
  readonly bias: TensorSpec | undefined;
  readonly weight: TensorSpec | undefined;
} {
  const { input, linearWeight: weights, target } = positional;
  if (!input || !weights || !target) throw new Error('no call of linearCrossEntropy');
  const [classes = 1, ...inside] = weights.shape;
  const features = inside.pop() ?? 1;
  const sizes = { batch: input.data.length / features, classes, inner: sizeOf(inside), features };
  return {
    sizes,
    tensors: { input, weights, target },
    bias: optional.linearBias,
    weight: optional.weight,
  };
}

function rowOf(call: Call, b: number, d: number, dtype: FloatDType): Row {
  const { sizes, tensors, bias, weight } = partsOf(call);
  const { classes, inner, features } = sizes;
  const { input, weights, target } = tensors;
  const at = ({ data }: TensorSpec, i: number): number =>
    dtype === 'float16' ? roundHalf(data[i] ?? NaN) : (data[i] ?? NaN);
  const z = new Float64Array(classes);
  const logits = new Float64Array(classes);
  for (let c = 0; c < classes; c++) {
    const column = c * inner + d;
    let value = bias ? at(bias, column) : 0;
    let size = Math.abs(value);
    for (let f = 0; f < features; f++) {
      const term = at(input, b * features + f) * at(weights, column * features + f);
      value += term;
      size += Math.abs(term);
    }
    z[c] = value;
    // Terms that float32 does not hold may leave anything: an infinity on the way is a mask.
    const overflows = size > LARGEST && size < Infinity;
    logits[c] = overflows ? 2 * LARGEST : (features + 2) * 2 ** -24 * size;
  }
  const floor = z.reduce((most, value, c) => Math.max(most, value - (logits[c] ?? 0)), -Infinity);
  const peak = z.reduce((most, value) => Math.max(most, value), -Infinity);
  let [log, sum] = [0, 0];
  z.forEach((value, c) => {
    const e = logits[c] ?? 0;
    // Classes that may count in the sum of exponentials.
    if (value + e > floor - 30) log = Math.max(log, e);
    sum += Math.exp(value - peak);
  });
  const probabilities = z.map((value, c) => {
    const off = 2 * ((logits[c] ?? 0) + log);
    const before = value - peak - Math.log(sum);
    // p e^off - p
    return before + off >= 0 ? 1 : Math.exp(before + off) * -Math.expm1(-off);
  });
  const { labelSmoothing = 0, ignoreIndex = -100 } = call.options;
  const smoothing = Number(labelSmoothing);
  const soft = target.dtype === 'float';
  const label = soft ? -1 : (target.data[b * inner + d] ?? -1);
  const shares = z.map((_, c) => {
    if (!soft && label === ignoreIndex) return 0;
    const own = soft ? at(target, (b * classes + c) * inner + d) : Number(c === label);
    return (weight ? at(weight, c) : 1) * ((1 - smoothing) * own + smoothing / classes);
  });
  const total = shares.reduce((a, s) => a + s, 0);
  const slopes = z.map((value, c) => (total * Math.exp(value - peak)) / sum + (shares[c] ?? 0));
  return { logits, log, probabilities, shares, sum: total, slopes };
}

const known = new WeakMap<Call, Map<string, Row>>();

function knownRow(call: Call, b: number, d: number, dtype: FloatDType): Row {
  let rows = known.get(call);
  if (!rows) known.set(call, (rows = new Map<string, Row>()));
  const key = [b, d, dtype].join();
  const row = rows.get(key) ?? rowOf(call, b, d, dtype);
  rows.set(key, row);
  return row;
}

/** What losses of rows are divided by. */
function divisorOf(call: Call): number {
  const { sizes, tensors, weight } = partsOf(call);
  const { reduction = 'mean', ignoreIndex = -100 } = call.options;
  if (reduction !== 'mean') return 1;
  if (tensors.target.dtype === 'float') return sizes.batch * sizes.inner;
  return tensors.target.data.reduce(
    (sum, label) => sum + (label === ignoreIndex ? 0 : weight ? (weight.data[label] ?? NaN) : 1),
    0,
  );
}

/** How far an element may be off for the error of logits alone. */
export function logitBound(call: Call, dtype: FloatDType, name: string, index: number): number {
  const { sizes, tensors, weight } = partsOf(call);
  const { batch, classes, inner, features } = sizes;
  const by = UPSTREAM / divisorOf(call);
  const rows = Array.from({ length: batch * inner }, (_, r) => r);
  const row = (r: number): Row => knownRow(call, Math.floor(r / inner), r % inner, dtype);
  const total = (terms: readonly number[]): number => terms.reduce((a, term) => a + term, 0);
  if (name === 'out') {
    const of = call.options.reduction === 'none' ? [index] : rows;
    const lossOf = ({ shares, logits, log }: Row): number =>
      shares.reduce((sum, s, c) => sum + s * ((logits[c] ?? 0) + log), 0);
    return total(of.map((r) => (by / UPSTREAM) * lossOf(row(r))));
  }
  if (name === 'target') {
    const c = Math.floor(index / inner) % classes;
    const { logits, log } = row(Math.floor(index / inner / classes) * inner + (index % inner));
    const factor = (weight?.data[c] ?? 1) * (1 - Number(call.options.labelSmoothing ?? 0));
    return by * factor * ((logits[c] ?? 0) + log);
  }
  // Gradients of input, weights and bias are scalar products too: their sums are off by some ULP of the terms.
  const added = name === 'input' ? classes * inner : batch;
  const rounding = (8 + 2 * Math.sqrt(added)) * 2 ** -24;
  const off = (r: number, c: number): number => {
    const { sum, probabilities, slopes } = row(r);
    return by * (sum * (probabilities[c] ?? 0) + rounding * (slopes[c] ?? 0));
  };
  if (name === 'input') {
    const [b, f] = [Math.floor(index / features), index % features];
    const own = rows.filter((r) => Math.floor(r / inner) === b);
    return total(
      own.map((r) => {
        const column = (c: number): number => (c * inner + (r % inner)) * features + f;
        const sizesOf = (c: number): number => Math.abs(tensors.weights.data[column(c)] ?? NaN);
        return total(Array.from({ length: classes }, (_, c) => off(r, c) * sizesOf(c)));
      }),
    );
  }
  const column = name === 'linearWeight' ? Math.floor(index / features) : index;
  const [c, d] = [Math.floor(column / inner), column % inner];
  const own = rows.filter((r) => r % inner === d);
  return total(
    own.map((r) => {
      const at = Math.floor(r / inner) * features + (index % features);
      return off(r, c) * (name === 'linearWeight' ? Math.abs(tensors.input.data[at] ?? NaN) : 1);
    }),
  );
}

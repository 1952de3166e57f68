// Adaptive softmax: log-probabilities of all classes, or of the target class of each row, with gradients. Each tail
// cluster is computed only for the rows that belong to it.
import { record } from '../core/autograd.ts';
import type { Composed } from '../define/in-forward.ts';
import { empty, run, runOne } from '../core/dispatcher.ts';
import type { DType } from '../core/dtype.ts';
import { castTo } from '../kernels/pointwise/basic.ts';
import { clusterKernel, columnsKernel, pickRowsKernel } from '../kernels/adaptive/plan.ts';
import { reduceDims } from '../kernels/reduce/sum-to.ts';
import { add } from '../math/arithmetic.ts';
import { linear } from '../math/linear.ts';
import { reshape } from '../math/reshape.ts';
import { logSoftmax } from '../rowwise/log-softmax.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import { crossEntropy } from './cross-entropy.ts';

/**
 * The two layers of a cluster: [h, in], which reduces the number of features, and [C, h], with one row for each of
 * its classes.
 */
export type TailWeights = readonly [projection: Tensor, classes: Tensor];

export interface AdaptiveLayers {
  /** The layer of the head, [shortlist + clusters, in]. */
  readonly headWeight: Tensor;
  readonly headBias?: Tensor | undefined;
  readonly tailWeights: readonly TailWeights[];
}

/** The rows that belong to a cluster, and their classes in it, as int32. */
interface Cluster {
  /** For each row of the cluster, its row in the batch; -1 if there is none. */
  readonly index: Tensor;
  /** For each row of the batch, its row in the cluster; -1 if there is none. */
  readonly inverse: Tensor;
  /** The classes as indices within the cluster; -1 if there is none. */
  readonly target: Tensor;
}

function shortlistOf({ headWeight, tailWeights }: AdaptiveLayers): number {
  return (headWeight.shape[0] ?? 0) - tailWeights.length;
}

/** The first class of each cluster, followed by the number of classes. */
export function boundsOf(layers: AdaptiveLayers): number[] {
  const bounds = [shortlistOf(layers)];
  for (const [, { shape }] of layers.tailWeights)
    bounds.push((bounds.at(-1) ?? 0) + (shape[0] ?? 0));
  return bounds;
}

/**
 * A float32 copy, in which everything is computed, so that a float16 result is rounded once, and so is its gradient.
 */
export function castRecorded(x: Tensor, dtype: DType): Tensor {
  if (x.dtype === dtype) return x;
  const from = x.dtype;
  return record(castTo(x, dtype), 'cast', [x], [], (upstream) => [castTo(upstream.tensor, from)]);
}

function toFloat32(layers: AdaptiveLayers): AdaptiveLayers {
  const wide = (x: Tensor): Tensor => castRecorded(x, 'float32');
  return {
    headWeight: wide(layers.headWeight),
    headBias: layers.headBias && wide(layers.headBias),
    tailWeights: layers.tailWeights.map(([first, second]) => [wide(first), wide(second)]),
  };
}

/** Selects rows of x [m, w] by index [k]. `inverse` [m] is the inverse mapping, for the gradient. */
function pickRows(x: Tensor, index: Tensor, inverse: Tensor): Tensor {
  const [m = 0, width = 0] = x.shape;
  const rows = index.size;
  const like = { shape: [rows, width], dtype: x.dtype };
  const picked = runOne(pickRowsKernel, { width, rows }, [x, index], like);
  return record(picked, 'pickRows', [x], [inverse], (upstream, [back]) => {
    if (!back) return [];
    const grad = { shape: [m, width], dtype: x.dtype };
    return [runOne(pickRowsKernel, { width, rows: m }, [upstream.tensor, back], grad)];
  });
}

/** For targets that the host knows: each cluster gets only the rows that belong to it. */
function clustersOnHost(
  targets: Int32Array,
  layers: AdaptiveLayers,
  like: Tensor,
): { head: Tensor; clusters: Cluster[] } {
  const bounds = boundsOf(layers);
  const shortlist = shortlistOf(layers);
  const upload = (values: Int32Array): Tensor =>
    fromHost(values, [values.length], 'int32', like.device);
  const head = targets.slice();
  const clusters = layers.tailWeights.map((_, k) => {
    const [low = 0, high = 0] = bounds.slice(k, k + 2);
    const inverse = new Int32Array(targets.length).fill(-1);
    const index: number[] = [];
    targets.forEach((target, row) => {
      if (target < low || target >= high) return;
      head[row] = shortlist + k;
      inverse[row] = index.length;
      index.push(row);
    });
    const target = Int32Array.from(index, (row) => (targets[row] ?? 0) - low);
    return {
      index: upload(Int32Array.from(index)),
      inverse: upload(inverse),
      target: upload(target),
    };
  });
  return { head: upload(head), clusters };
}

/**
 * For targets that only the device knows: each cluster gets all rows. Rows of other clusters are zeros and ignored.
 */
function clustersOnDevice(
  op: string,
  target: Tensor,
  layers: AdaptiveLayers,
): { head: Tensor; clusters: Cluster[] } {
  const bounds = boundsOf(layers);
  const shortlist = shortlistOf(layers);
  const rows = target.size;
  const like = { shape: [rows], dtype: 'int32' as const };
  let head = target;
  const clusters = layers.tailWeights.map((_, k) => {
    const [low = 0, high = 0] = bounds.slice(k, k + 2);
    const classes = k === 0 ? (bounds.at(-1) ?? 0) : 0;
    const args = { op, rows, low, high, place: shortlist + k, classes };
    const [next, index, relative] = run(clusterKernel, args, [target, head], [like, like, like]);
    if (!index || !relative) throw new RangeError('a kernel without outputs');
    head = next;
    return { index, inverse: index, target: relative };
  });
  return { head, clusters };
}

/**
 * Negative log-probabilities of the rows' classes [N], for x [N, in] and target [N], all in float32: the cross-entropy of
 * the head, and for a class outside the shortlist that of its cluster's tail.
 */
function lossesOfRows(op: string, x: Tensor, target: Tensor, layers: AdaptiveLayers): Tensor {
  const { host } = target.storage(op, 'target');
  const { head, clusters } = host
    ? clustersOnHost(host, layers, x)
    : clustersOnDevice(op, target, layers);
  const { headWeight, headBias, tailWeights } = layers;
  const headLogits = linear(x, headWeight, headBias ? { bias: headBias } : {});
  // No target is -2, so none is ignored.
  let losses = crossEntropy(headLogits, head, { reduction: 'none', ignoreIndex: -2 });
  tailWeights.forEach(([first, second], k) => {
    const cluster = clusters[k];
    if (!cluster) return;
    const logits = linear(linear(pickRows(x, cluster.index, cluster.inverse), first), second);
    const own = crossEntropy(logits, cluster.target, { reduction: 'none', ignoreIndex: -1 });
    const spread = pickRows(reshape(own, [own.size, 1]), cluster.inverse, cluster.index);
    losses = add(losses, reshape(spread, losses.shape));
  });
  return losses;
}

/** Log-probabilities of all classes [N, nClasses], for x [N, in] in float32. */
export function adaptiveLogProbs(op: string, x: Tensor, layers: AdaptiveLayers): Tensor {
  const { headWeight, headBias, tailWeights } = layers;
  const head = logSoftmax(linear(x, headWeight, headBias ? { bias: headBias } : {}), { dim: 1 });
  const tails = tailWeights.map(([first, second]) =>
    logSoftmax(linear(linear(x, first), second), { dim: 1 }),
  );
  const bounds = boundsOf(layers);
  const [shortlist = 0] = bounds;
  const rows = x.shape[0] ?? 0;
  const all = { width: bounds.at(-1) ?? 0, from: 0 };
  const own = { width: headWeight.shape[0] ?? 0, from: 0 };
  const at = (columns: typeof all, from: number): typeof all => ({ ...columns, from });

  const output = empty(x, op, { shape: [rows, all.width], dtype: 'float32' });
  runOne(columnsKernel, { rows, count: shortlist, x: own, y: all }, [head], output);
  tails.forEach((tail, k) => {
    const count = tail.shape[1] ?? 0;
    const args = {
      rows,
      count,
      x: { width: count, from: 0 },
      y: at(all, bounds[k] ?? 0),
      shift: at(own, shortlist + k),
    };
    runOne(columnsKernel, args, [tail, head], output);
  });
  return record(output, op, [head, ...tails], [], (upstream) => {
    const gradOutput = upstream.tensor;
    const gradHead = empty(x, op, { shape: [rows, own.width], dtype: 'float32' });
    runOne(columnsKernel, { rows, count: shortlist, x: all, y: own }, [gradOutput], gradHead);
    const gradTails = tails.map(({ shape: [, count = 0] }, k) => {
      const grad = runOne(
        columnsKernel,
        { rows, count, x: at(all, bounds[k] ?? 0), y: { width: count, from: 0 } },
        [gradOutput],
        { shape: [rows, count], dtype: 'float32' },
      );
      // The log-probability of a cluster is a term in the log-probability of each of its classes.
      const sums = rows > 0 ? reduceDims(grad, [1], 1) : null;
      if (sums) {
        const place = at(own, shortlist + k);
        runOne(
          columnsKernel,
          { rows, count: 1, x: { width: 1, from: 0 }, y: place },
          [sums],
          gradHead,
        );
        sums.dispose();
      }
      return grad;
    });
    return [gradHead, ...gradTails];
  });
}

/** All tensors as float32, and the input as rows. */
export function prepared(
  input: Tensor,
  layers: AdaptiveLayers,
): { x: Tensor; wide: AdaptiveLayers } {
  const rows = reshape(input, input.rank === 1 ? [1, input.size] : input.shape);
  return { x: castRecorded(rows, 'float32'), wide: toFloat32(layers) };
}

/** The losses of the targets as one float32 vector. */
export function adaptiveLosses(
  op: string,
  input: Tensor,
  target: Tensor,
  layers: AdaptiveLayers,
): Tensor {
  const { x, wide } = prepared(input, layers);
  return lossesOfRows(op, x, reshape(target, [target.size]), wide);
}

type Results = readonly [Tensor, ...Tensor[]];

/** Runs a call whose `results` are computed from the losses of the rows. */
export function adaptiveCall(
  op: string,
  input: Tensor,
  target: Tensor,
  { headWeight, headBias, tailWeights }: AdaptiveLayers,
  results: (losses: Tensor) => Results,
): Composed {
  const inputs = [input, headWeight, ...tailWeights.flat(), ...(headBias ? [headBias] : [])];
  const [clusters, biased] = [tailWeights.length, headBias !== undefined];
  const compute = (
    [x, head, ...rest]: readonly Tensor[],
    [classes]: readonly Tensor[],
  ): Results => {
    if (!x || !head || !classes) throw new RangeError('an operand is missing');
    const tails = Array.from({ length: clusters }, (_, k): TailWeights => {
      const [first, second] = rest.slice(2 * k, 2 * k + 2);
      if (!first || !second) throw new RangeError('a tail is missing');
      return [first, second];
    });
    const bias = biased ? rest.at(-1) : undefined;
    return results(
      adaptiveLosses(op, x, classes, { headWeight: head, headBias: bias, tailWeights: tails }),
    );
  };
  return { op, inputs, constants: [target], compute };
}

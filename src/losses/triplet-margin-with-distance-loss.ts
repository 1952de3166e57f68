import { isRecording, record } from '../core/autograd.ts';
import { REDUCTIONS, type Reduction } from '../define/loss.ts';
import { defineOp } from '../define/op.ts';
import { defaultsOf, resolveParams } from '../define/params.ts';
import { warmUpPairs } from '../define/prepare.ts';
import { tripleModule } from '../define/triple-module.ts';
import { describe } from '../core/describe.ts';
import { run, runOne } from '../core/dispatcher.ts';
import { pairwiseDistance } from '../distances/pairwise-distance.ts';
import { OptionError } from '../core/errors.ts';
import { pointwise } from '../kernels/pointwise/plan.ts';
import { hingeOfThree, hingeOfTwo } from '../kernels/pair-rows/triplet-hinge.ts';
import { scope } from '../core/scope.ts';
import { Tensor } from '../core/tensor.ts';
import {
  checkDevice,
  checkOut,
  checkSameDType,
  checkSameRank,
  checkShapeIs,
  checkTensor,
  checkTensors,
} from '../core/validate.ts';
import { checkBoolean, checkOneOf } from '../core/validate-options.ts';
import { compareTriplets, tripletRows } from './triplet-rows.ts';

/**
 * A distance of two tensors of vectors, one number for each pair. It must use this package's ops, so that it has a
 * gradient.
 */
export type DistanceFunction = (x1: Tensor, x2: Tensor) => Tensor;

/** Options of `tripletMarginWithDistanceLoss`. */
export interface TripletMarginWithDistanceLossOptions {
  /**
   * Defaults to `pairwiseDistance`, for which the loss is one kernel. It runs in a `scope`: tensors that it makes are
   * disposed once the loss is computed.
   */
  distanceFunction?: DistanceFunction;
  /** How much closer to the anchor the positive must be than the negative. It must be above 0. Defaults to 1. */
  margin?: number;
  /**
   * Whether the distance from positive to negative is used where it is smaller than that from the anchor. Defaults to
   * false.
   */
  swap?: boolean;
  /** `'mean'` (default) over the triplets, `'sum'`, or `'none'` for the loss of each. */
  reduction?: Reduction;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

const NAME = 'tripletMarginWithDistanceLoss';
const specs = { margin: { default: 1, min: 0, above: true } } as const;

function apply(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletMarginWithDistanceLossOptions = {},
): Tensor {
  const others = ['distanceFunction', 'swap', 'reduction', 'out'];
  const params = resolveParams(NAME, specs, others, options);
  const { distanceFunction = pairwiseDistance, swap = false, reduction = 'mean', out } = options;
  const distance: unknown = distanceFunction;
  if (typeof distance !== 'function') {
    throw new OptionError({
      op: NAME,
      argument: 'distanceFunction',
      expected: 'a function of two tensors',
      received: describe(distance),
    });
  }
  checkBoolean(NAME, 'swap', swap);
  checkOneOf(NAME, 'reduction', reduction, REDUCTIONS);
  const tensors = { anchor, positive, negative };
  if (distanceFunction === pairwiseDistance) {
    checkTensors(NAME, tensors);
    const all = { ...params, p: 2, eps: 1e-6 };
    const rows = tripletRows(NAME, tensors, { params: all, swap, reduction });
    return compareTriplets(NAME, tensors, rows, out);
  }
  const device = checkTensors(NAME, tensors);
  checkSameRank(NAME, tensors, 0);
  const reduced = reduction !== 'none';
  const { dtype } = anchor;
  // Checks `out` as far as possible before the caller's distance function runs.
  const guess = reduced || !(out instanceof Tensor) ? [] : out.shape;
  checkOut(NAME, out, { device, dtype, shape: guess }, isRecording(Object.values(tensors)));
  return scope(() => {
    const near = distanceFunction(anchor, positive);
    const distances = [near, distanceFunction(anchor, negative)];
    if (swap) distances.push(distanceFunction(positive, negative));
    for (const value of distances) {
      checkTensor(NAME, 'distanceFunction', value);
      checkDevice(NAME, 'distanceFunction', value, device);
      checkSameDType(NAME, 'distanceFunction', value, anchor.dtype);
      checkShapeIs(NAME, 'distanceFunction', value, near.shape);
    }
    const { shape, size } = near;
    const like = { device, dtype, shape: reduced ? [] : shape };
    checkOut(NAME, out, like, isRecording(distances));
    const count = reduction === 'mean' ? size : 1;
    const hinge = swap ? hingeOfThree : hingeOfTwo;
    const output = runOne(
      pointwise,
      { op: hinge.forward, params, shape, ...(reduced ? { sum: count } : {}) },
      distances,
      out ?? like,
    );
    return record(output, NAME, distances, distances, (upstream, saved, needs) => {
      const args = { op: hinge.backward, params, shape, scale: 1 / count };
      const inputs = [...saved, upstream.tensor];
      const grads = run(
        pointwise,
        args,
        inputs,
        saved.map((value) => value.like()),
      );
      return grads.map((grad, i) => {
        if (needs[i]) return grad;
        grad.dispose();
        return null;
      });
    });
  });
}

/**
 * `tripletMarginLoss` with a distance of the caller's: any function of two tensors made of this package's ops, whose
 * results are of one shape. Options: `distanceFunction` (`pairwiseDistance`), `margin` (1), `swap` (false), `reduction`
 * ('mean').
 *
 * @example tripletMarginWithDistanceLoss(anchor, positive, negative, { distance })
 */
export const tripletMarginWithDistanceLoss = /* @__PURE__ */ defineOp(apply, {
  op: NAME,
  kind: 'loss',
  params: /* @__PURE__ */ defaultsOf(specs),
  specs,
  // As for tripletMarginLoss. A distance function of the caller may have additional errors.
  accuracy: { forward: 4, backward: 16 },
  docs: {
    tex: String.raw`\max(0, \mathrm{margin} + d(a, p) - d(a, n))`,
    derivative: String.raw`\nabla d(a, p) - \nabla d(a, n) \text{ where the loss is above } 0`,
    range: String.raw`[0, \infty)`,
    shapes:
      'anchor, positive and negative as the distance takes them; result: a scalar, or the shape of the distances with reduction `none`',
    torch: 'triplet_margin_with_distance_loss',
    cite: 'Balntas, Riba, Ponsa & Mikolajczyk 2016, Learning local feature descriptors with triplets and shallow convolutional neural networks',
    kinks:
      'where the loss just reaches 0, the gradient is that of its positive part; with swap, two equal distances get half of it each',
    use: 'The triplet loss with a distance of your own, such as 1 - cosineSimilarity. The margin has the unit of that distance: 1 is large for a cosine. Where the distance has no gradient (at equal vectors, for example), the loss has none either.',
  },
  prepare: (device, dtype) => {
    for (const distanceFunction of [pairwiseDistance, (a: Tensor) => a]) {
      warmUpPairs(device, dtype, [[2, 4]], (a, b) => apply(a, b, b.detach(), { distanceFunction }));
    }
  },
});

/** `tripletMarginWithDistanceLoss` as a module. */
export class TripletMarginWithDistanceLoss
  extends /* @__PURE__ */ tripleModule(tripletMarginWithDistanceLoss) {}

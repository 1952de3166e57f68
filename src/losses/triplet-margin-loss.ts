import { REDUCTIONS, type Reduction } from '../define/loss.ts';
import { defineOp } from '../define/op.ts';
import { declarePairRows } from '../define/pair-rows.ts';
import { defaultsOf, resolveParams } from '../define/params.ts';
import { warmUpPairs } from '../define/prepare.ts';
import { tripleModule } from '../define/triple-module.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkTensors } from '../core/validate.ts';
import { checkBoolean, checkIsOptions, checkOneOf } from '../core/validate-options.ts';
import { compareTriplets, NAME, op, specs, tripletRows } from './triplet-rows.ts';

/** Options of `tripletMarginLoss`. */
export interface TripletMarginLossOptions {
  /** How much closer to the anchor the positive must be than the negative. It must be above 0. Defaults to 1. */
  margin?: number;
  /** Degree of the norm, any number or ±Infinity. Defaults to 2. */
  p?: number;
  /** Added to each difference, so that the gradient of equal vectors is finite. Defaults to 1e-6. */
  eps?: number;
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

const declaration = /* @__PURE__ */ declarePairRows({
  op,
  kind: 'loss',
  inputs: ['anchor', 'positive', 'negative'],
  compared: (options: TripletMarginLossOptions, others, tensors) => {
    const params = resolveParams(NAME, specs, ['swap', 'reduction', ...others], options);
    const { swap = false, reduction = 'mean' } = options;
    checkBoolean(NAME, 'swap', swap);
    checkOneOf(NAME, 'reduction', reduction, REDUCTIONS);
    return tripletRows(NAME, tensors, { params, swap, reduction });
  },
});
export default declaration;

function apply(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletMarginLossOptions = {},
): Tensor {
  checkIsOptions(NAME, options);
  const tensors = { anchor, positive, negative };
  checkTensors(NAME, tensors);
  const rows = declaration.compared(options, ['out'], tensors);
  return compareTriplets(NAME, tensors, rows, options.out);
}

/**
 * Wants the distance from anchor to positive smaller than that from anchor to negative by a margin; vectors [..., D],
 * broadcast. Options: `margin` (1), `p` (2), `eps` (1e-6), `swap` (false), `reduction` ('mean').
 *
 * @example tripletMarginLoss(anchor, positive, negative, { margin: 0.5 })
 */
export const tripletMarginLoss = /* @__PURE__ */ defineOp(apply, {
  op: NAME,
  kind: 'loss',
  params: /* @__PURE__ */ defaultsOf(specs),
  specs,
  // In ULP of the largest term, which are the distances, and 1. Measured for up to 1,027 elements: 2, and 4 for p =
  // 2, 11 for p = 3.
  accuracy: { forward: 4, backward: 16 },
  docs: {
    tex: String.raw`\max(0, \mathrm{margin} + \lVert a - p \rVert_p - \lVert a - n \rVert_p)`,
    derivative: String.raw`\nabla \lVert a - p \rVert_p - \nabla \lVert a - n \rVert_p \text{ where the loss is above } 0`,
    range: String.raw`[0, \infty)`,
    shapes:
      'anchor, positive and negative […, D], broadcast to each other; result: a scalar, or their shape without D with reduction `none`',
    torch: 'triplet_margin_loss',
    cite: 'Balntas, Riba, Ponsa & Mikolajczyk 2016, Learning local feature descriptors with triplets and shallow convolutional neural networks; Schroff, Kalenichenko & Philbin 2015, FaceNet',
    kinks:
      'where the loss just reaches 0, the gradient is that of its positive part; with swap, two equal distances get half of it each; the gradient of a norm of 0 is 0',
    use: 'For embeddings when you know only which of two examples is nearer to a third. Most random triplets cost nothing, so choose hard ones, but do not start with the hardest: they make all embeddings collapse to one point. Distances are not bounded: normalise the embeddings, or watch their size.',
  },
  prepare: (device, dtype) => {
    for (const reduction of ['mean', 'none'] as const) {
      warmUpPairs(
        device,
        dtype,
        [
          [2, 3],
          [2, 4],
          [2, 64],
        ],
        (a, b) => apply(a, b, b.detach(), { reduction }),
      );
    }
  },
});

/** `tripletMarginLoss` as a module. */
export class TripletMarginLoss extends /* @__PURE__ */ tripleModule(tripletMarginLoss) {}

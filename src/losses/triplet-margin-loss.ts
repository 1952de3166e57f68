import wgsl from '../../shaders/losses/triplet-margin.wgsl?raw';
import { REDUCTIONS, type Reduction } from '../define/loss.ts';
import { defineOp } from '../define/op.ts';
import { comparePairs } from '../define/pair-rows.ts';
import { defaultsOf, layoutOf, resolveParams } from '../define/params.ts';
import { warmUp } from '../define/prepare.ts';
import { tripleModule } from '../define/triple-module.ts';
import { bits } from '../shader/lib.ts';
import { source } from '../shader/link.ts';
import { norm, normGrad, normKind } from '../kernels/pair-rows/norm-reference.ts';
import type { PairRowsOp } from '../kernels/pair-rows/plan.ts';
import type { ParamValues } from '../shader/params.ts';
import { rowNorms } from '../kernels/rows/sources.ts';
import { tripletHinge, tripletHingeSource } from '../kernels/pair-rows/triplet-hinge.ts';
import { broadcastShapes } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkSameRank, checkTensors } from '../core/validate.ts';
import { checkBoolean, checkOneOf } from '../core/validate-options.ts';

export interface TripletMarginLossOptions {
  /** How much nearer than the negative the positive must be, above 0. Defaults to 1. */
  margin?: number;
  /** Degree of the norm, any number or ±Infinity. Defaults to 2. */
  p?: number;
  /** Added to each difference, which keeps the gradient of equal vectors finite. Defaults to 1e-6. */
  eps?: number;
  /** Whether the distance from positive to negative counts where it is smaller than that from the anchor. Defaults to false. */
  swap?: boolean;
  /** `'mean'` (default) over the triplets, `'sum'`, or `'none'` for the loss of each. */
  reduction?: Reduction;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

const specs = { margin: { default: 1, min: 0, above: true }, p: 2, eps: 1e-6 } as const;

const op: PairRowsOp = {
  name: 'tripletMarginLoss',
  source: /* @__PURE__ */ source('losses/triplet-margin.wgsl', wgsl, [
    bits,
    rowNorms,
    tripletHingeSource,
  ]),
  params: /* @__PURE__ */ layoutOf(specs),
  operands: ['anchor', 'positive', 'negative'],
  powers: true,
  constants: ({ p = 2, swap = 0 }) => ({ kind: normKind(p), pairs: swap ? 3 : 2 }),
  reference,
};

function reference(
  [anchor, positive, negative]: readonly Float64Array[],
  _label: number,
  { margin = 1, p = 2, eps = 0, swap = 0 }: ParamValues,
  upstream: number,
  grads: readonly Float64Array[] | null,
): number {
  if (!anchor || !positive || !negative) return NaN;
  const distances = [
    [anchor, positive] as const,
    [anchor, negative] as const,
    ...(swap ? [[positive, negative] as const] : []),
  ].map(([a, b]) => {
    const d = a.map((v, i) => v - (b[i] ?? NaN) + eps);
    return { d, value: norm(d, p), grad: new Float64Array(d.length) };
  });
  const [near, far, other] = distances;
  const hinge = tripletHinge(near?.value ?? NaN, far?.value ?? NaN, other?.value, margin, upstream);
  const [ga, gp, gn] = grads ?? [];
  if (ga && gp && gn) {
    distances.forEach(({ d, value, grad }, k) => {
      normGrad(d, p, value, hinge.grads[k] ?? 0, grad);
    });
    for (let i = 0; i < ga.length; i++) {
      const pull = near?.grad[i] ?? NaN;
      const push = far?.grad[i] ?? NaN;
      const swapped = other?.grad[i] ?? 0;
      ga[i] = pull + push;
      gp[i] = swapped - pull;
      gn[i] = -push - swapped;
    }
  }
  return hinge.loss;
}

function apply(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletMarginLossOptions = {},
): Tensor {
  const params = resolveParams(op.name, specs, ['swap', 'reduction', 'out'], options);
  const { swap = false, reduction = 'mean', out } = options;
  checkBoolean(op.name, 'swap', swap);
  checkOneOf(op.name, 'reduction', reduction, REDUCTIONS);
  return compareTriplets(op.name, { anchor, positive, negative }, { params, swap, reduction, out });
}

/** @internal The loss under the name of the op that was called; `params` and options are valid. */
export function compareTriplets(
  name: string,
  { anchor, positive, negative }: Readonly<Record<'anchor' | 'positive' | 'negative', Tensor>>,
  call: { params: ParamValues; swap: boolean; reduction: Reduction; out: Tensor | undefined },
): Tensor {
  const { params, swap, reduction, out } = call;
  checkTensors(name, { anchor, positive, negative });
  checkSameRank(name, { anchor, positive, negative }, 1);
  const shapes = [anchor.shape, positive.shape, negative.shape];
  const pair = broadcastShapes(name, shapes.slice(0, 2), 'positive');
  const shape = broadcastShapes(name, [pair, negative.shape], 'negative');
  return comparePairs({
    op: name === op.name ? op : { ...op, name },
    params: { ...params, swap: Number(swap) },
    operands: [anchor, positive, negative],
    shape,
    dim: shape.length - 1,
    rowShape: shape.slice(0, -1),
    reduction,
    out,
  });
}

/**
 * Wants the distance from anchor to positive smaller than that from anchor to negative by a margin; vectors [..., D],
 * broadcast. Options: `margin` (1), `p` (2), `eps` (1e-6), `swap` (false), `reduction` ('mean').
 */
export const tripletMarginLoss = /* @__PURE__ */ defineOp(apply, {
  op: 'tripletMarginLoss',
  kind: 'loss',
  params: /* @__PURE__ */ defaultsOf(specs),
  specs,
  // Of the largest term: the distances, and 1. Measured up to 1,027 elements: 2, and 4 for p = 2, 11 for p = 3.
  accuracy: { forward: 4, backward: 16 },
  docs: {
    tex: String.raw`\max(0, \mathrm{margin} + \lVert a - p \rVert_p - \lVert a - n \rVert_p)`,
    derivative: String.raw`\nabla \lVert a - p \rVert_p - \nabla \lVert a - n \rVert_p \text{ above } 0`,
    range: String.raw`[0, \infty)`,
    shapes:
      'anchor, positive and negative […, D], broadcast to each other; result: a scalar, or their shape without D for `none`',
    torch: 'triplet_margin_loss',
    cite: 'Balntas, Riba, Ponsa & Mikolajczyk 2016, Learning local feature descriptors with triplets and shallow convolutional neural networks; Schroff, Kalenichenko & Philbin 2015, FaceNet',
    kinks:
      'the gradient passes at the margin; with swap each of two equal distances has half of it; that of a norm of 0 is 0',
    use: 'Embeddings of which only the order of distances is known. Most random triplets cost nothing: mine hard ones, but not the hardest first, which collapse the embedding to a point. Distances are not bounded: normalise, or watch their size.',
  },
  prepare: (device, dtype) => {
    for (const n of [3, 4, 64]) {
      for (const reduction of ['mean', 'none'] as const) {
        warmUp(
          device,
          dtype,
          [
            [2, n],
            [2, n],
          ],
          (a, b) => apply(a, b, b.detach(), { reduction }),
        );
      }
    }
  },
});

/** `tripletMarginLoss` as a module. */
export class TripletMarginLoss extends /* @__PURE__ */ tripleModule(tripletMarginLoss) {}

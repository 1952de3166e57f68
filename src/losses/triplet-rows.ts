// The hinge of the two distances of each triplet, used by both triplet losses.
import wgsl from '../../shaders/losses/triplet-margin.wgsl?raw';
import { at, atOr } from '../cpu/rows.ts';
import type { Reduction } from '../define/loss.ts';
import { comparePairs, type ComparedRows } from '../define/pair-rows.ts';
import { layoutOf } from '../define/params.ts';
import { bits } from '../shader/lib.ts';
import { source } from '../shader/link.ts';
import { norm, normGrad, normKind } from '../kernels/pair-rows/norm-reference.ts';
import type { PairRowsOp } from '../kernels/pair-rows/plan.ts';
import type { ParamValues } from '../shader/params.ts';
import { rowNorms } from '../kernels/rows/sources.ts';
import { tripletHinge, tripletHingeSource } from '../kernels/pair-rows/triplet-hinge.ts';
import { broadcastShapes, type Shape } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkSameRank } from '../core/validate.ts';

export const NAME = 'tripletMarginLoss';
export const specs = { margin: { default: 1, min: 0, above: true }, p: 2, eps: 1e-6 } as const;

export const op: PairRowsOp = {
  name: NAME,
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
  const between = (a: Float64Array, b: Float64Array) => {
    const d = a.map((v, i) => v - at(b, i) + eps);
    return { d, value: norm(d, p), grad: new Float64Array(d.length) };
  };
  const near = between(anchor, positive);
  const far = between(anchor, negative);
  const other = swap ? between(positive, negative) : undefined;
  const hinge = tripletHinge(near.value, far.value, other?.value, margin, upstream);
  const [ga, gp, gn] = grads ?? [];
  if (ga && gp && gn) {
    [near, far, ...(other ? [other] : [])].forEach(({ d, value, grad }, k) => {
      normGrad(d, p, value, hinge.grads[k] ?? 0, grad);
    });
    for (let i = 0; i < ga.length; i++) {
      const pull = at(near.grad, i);
      const push = at(far.grad, i);
      const swapped = atOr(other?.grad, i, 0);
      ga[i] = pull + push;
      gp[i] = swapped - pull;
      gn[i] = -push - swapped;
    }
  }
  return hinge.loss;
}

interface Triplets<T> {
  readonly anchor: T;
  readonly positive: T;
  readonly negative: T;
}

/** What valid options are for the kernel. Throws for what it refuses of the shapes. */
export function tripletRows(
  name: string,
  { anchor, positive, negative }: Triplets<{ readonly shape: Shape }>,
  { params, swap, reduction }: { params: ParamValues; swap: boolean; reduction: Reduction },
): ComparedRows {
  checkSameRank(name, { anchor, positive, negative }, 1);
  const pair = broadcastShapes(name, [anchor.shape, positive.shape], 'positive');
  const shape = broadcastShapes(name, [pair, negative.shape], 'negative');
  return {
    params: { ...params, swap: Number(swap) },
    shape,
    dim: shape.length - 1,
    rowShape: shape.slice(0, -1),
    reduction,
  };
}

/** The loss, with the name of the op that was called in errors. */
export function compareTriplets(
  name: string,
  { anchor, positive, negative }: Triplets<Tensor>,
  rows: ComparedRows,
  out: Tensor | undefined,
): Tensor {
  return comparePairs({
    op: name === op.name ? op : { ...op, name },
    operands: [anchor, positive, negative],
    out,
    ...rows,
  });
}

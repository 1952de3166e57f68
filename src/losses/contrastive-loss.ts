import wgsl from '../../shaders/losses/contrastive.wgsl?raw';
import { at } from '../cpu/rows.ts';
import { REDUCTIONS, type Reduction } from '../define/reduction.ts';
import { defineOp } from '../define/op.ts';
import { comparePairs } from '../define/pair-rows.ts';
import { defaultsOf, layoutOf, resolveParams } from '../define/params.ts';
import { warmUpPairs } from '../define/prepare.ts';
import { tripleModule } from '../define/triple-module.ts';
import { encode } from '../core/dtype.ts';
import { source } from '../shader/link.ts';
import { norm, normGrad } from '../kernels/pair-rows/norm-reference.ts';
import type { PairRowsOp } from '../kernels/pair-rows/plan.ts';
import { rowNorms } from '../kernels/rows/sources.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import { checkShapeIs, checkTensors } from '../core/validate.ts';
import { checkOneOf } from '../core/validate-options.ts';
import { checkEmbeddings } from './embedding-checks.ts';

/** Options of `contrastiveLoss`. */
export interface ContrastiveLossOptions {
  /** How far apart dissimilar vectors must be, at least 0. Defaults to 1. */
  margin?: number;
  /** `'mean'` (default) over the pairs, `'sum'`, or `'none'` for the loss of each. */
  reduction?: Reduction;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

const specs = { margin: { default: 1, min: 0 } } as const;

const op: PairRowsOp = {
  name: 'contrastiveLoss',
  source: /* @__PURE__ */ source('losses/contrastive.wgsl', wgsl, [rowNorms]),
  params: /* @__PURE__ */ layoutOf({ ...specs, p: 2 }),
  operands: ['x1', 'x2'],
  labels: 'labels',
  powers: true,
  constants: () => ({ kind: 2, pairs: 1 }),
  reference: ([x, y], label, { margin = 0 }, upstream, grads) => {
    if (!x || !y) return NaN;
    const d = x.map((v, i) => v - at(y, i));
    const distance = norm(d, 2);
    const hinge = Math.max(margin - distance, 0);
    // Dissimilar rows that are infinitely far apart have no gradient.
    const near = label === 0 ? 0 : label * distance;
    const [gx, gy] = grads ?? [];
    if (gx && gy) {
      normGrad(d, 2, distance, upstream * (near - (1 - label) * hinge), gx);
      for (const [i, g] of gx.entries()) gy[i] = -g;
    }
    return (label * distance * distance + (1 - label) * hinge * hinge) / 2;
  },
};

function apply(
  x1: Tensor,
  x2: Tensor,
  target: Tensor,
  options: ContrastiveLossOptions = {},
): Tensor {
  const params = resolveParams(op.name, specs, ['reduction', 'out'], options);
  const { reduction = 'mean', out } = options;
  checkOneOf(op.name, 'reduction', reduction, REDUCTIONS);
  checkTensors(op.name, { x1, x2, target });
  const [rows] = checkEmbeddings(op.name, { x1, x2 });
  checkShapeIs(op.name, 'target', target, [rows]);
  return comparePairs({
    op,
    params: { ...params, p: 2 },
    operands: [x1, x2],
    labels: target,
    shape: x1.shape,
    dim: 1,
    rowShape: [rows],
    reduction,
    out,
  });
}

/**
 * Pulls pairs of vectors [N, D] that are similar together, and pushes others apart up to a margin, by their distance D:
 * t D² / 2 + (1 - t) max(margin - D, 0)² / 2. `target` is [N]: 1 for similar, 0 for dissimilar, or between. Gradients for
 * both vectors; where they are equal it is 0. Options: `margin` (1), `reduction` ('mean').
 *
 * `contrastiveLoss(embed(a), embed(b), same, { margin: 2 })`
 */
export const contrastiveLoss = /* @__PURE__ */ defineOp(apply, {
  op: 'contrastiveLoss',
  kind: 'loss',
  params: /* @__PURE__ */ defaultsOf(specs),
  specs,
  accuracy: { forward: 8, backward: 8 },
  docs: {
    tex: String.raw`\tfrac{t}{2} D^2 + \tfrac{1 - t}{2} \max(0, \mathrm{margin} - D)^2, \quad D = \lVert x_1 - x_2 \rVert`,
    derivative: String.raw`\left(t D - (1 - t) \max(0, \mathrm{margin} - D)\right) \frac{x_1 - x_2}{D}`,
    range: String.raw`[0, \infty)`,
    shapes: 'x1 and x2 [N, D], target [N]; result: a scalar, or [N] with reduction `none`',
    torch: null,
    cite: 'Hadsell, Chopra & LeCun 2006, Dimensionality Reduction by Learning an Invariant Mapping',
    kinks: 'the gradient of two equal vectors is 0',
    use: 'For embeddings that are compared by distance, when you know which pairs belong together. Most random pairs are farther apart than the margin and cost nothing, so choose hard pairs. Two equal vectors that should differ get no gradient, so they stay together.',
  },
  prepare: (device, dtype) => {
    const target = fromHost(encode(dtype, [1, 0]), [2], dtype, device);
    for (const reduction of ['mean', 'none'] as const) {
      warmUpPairs(
        device,
        dtype,
        [
          [2, 3],
          [2, 4],
          [2, 64],
        ],
        (a, b) => apply(a, b, target, { reduction }),
      );
    }
  },
});

/** `contrastiveLoss` as a module. */
export class ContrastiveLoss extends /* @__PURE__ */ tripleModule(contrastiveLoss) {}

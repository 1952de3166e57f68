// Cosine similarity: the cosines of the angles between the vectors of two tensors along a dimension, with gradients.
import wgsl from '../../shaders/distances/cosine.wgsl?raw';
import { optionsFor } from '../define/module.ts';
import { comparePairs } from '../define/pair-rows.ts';
import { layoutOf, resolveParams } from '../define/params.ts';
import { sqrt } from '../shader/lib.ts';
import { source } from '../shader/link.ts';
import { cosineGrad, squares } from '../kernels/pair-rows/cosine-reference.ts';
import type { PairRowsOp } from '../kernels/pair-rows/plan.ts';
import { rowCosine } from '../kernels/rows/sources.ts';
import { Module } from '../nn/module.ts';
import { broadcastShapes, normalizeDim } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkTensors } from '../core/validate.ts';
import { checkNumber } from '../core/validate-options.ts';

/** Options of `cosineSimilarity`. */
export interface CosineSimilarityOptions {
  /** The dimension along which vectors are; from the end where negative. Defaults to 1. */
  dim?: number;
  /** Least length that a vector is taken to have, at least 0. Defaults to 1e-8. */
  eps?: number;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

const specs = { eps: { default: 1e-8, min: 0 } } as const;

const op: PairRowsOp = {
  name: 'cosineSimilarity',
  source: /* @__PURE__ */ source('distances/cosine.wgsl', wgsl, [rowCosine, sqrt]),
  params: /* @__PURE__ */ layoutOf(specs),
  operands: ['x', 'y'],
  reference: ([x, y], _label, { eps = 0 }, upstream, grads) => {
    if (!x || !y) return NaN;
    const [dot, xx, yy] = squares(x, y);
    const [nx, ny] = [Math.sqrt(xx), Math.sqrt(yy)];
    const [lx, ly] = [nx < eps ? eps : nx, ny < eps ? eps : ny];
    const value = dot / lx / ly;
    const [gx, gy] = grads ?? [];
    if (gx) cosineGrad(x, y, value, lx, nx, ly, upstream, gx);
    if (gy) cosineGrad(y, x, value, ly, ny, lx, upstream, gy);
    return value;
  },
};

/**
 * x1 · x2 / (max(|x1|, eps) max(|x2|, eps)) along `dim`: broadcast tensors give their shape without that dimension.
 * Gradients for both; they pass through the bound by eps, as in PyTorch.
 *
 * @example cosineSimilarity(x1, x2, { dim: 1 })
 */
export function cosineSimilarity(
  x1: Tensor,
  x2: Tensor,
  options: CosineSimilarityOptions = {},
): Tensor {
  const params = resolveParams(op.name, specs, ['dim', 'out'], options);
  const { dim = 1, out } = options;
  checkNumber(op.name, 'dim', dim, { integer: true });
  checkTensors(op.name, { x1, x2 });
  const shape = broadcastShapes(op.name, [x1.shape, x2.shape], 'x2');
  const d = normalizeDim(op.name, dim, shape.length);
  return comparePairs({
    op,
    params,
    operands: [x1, x2],
    shape,
    dim: d,
    rowShape: shape.filter((_, i) => i !== d),
    reduction: 'none',
    out,
  });
}

/** `cosineSimilarity` as a module. */
export class CosineSimilarity extends Module {
  readonly #options: CosineSimilarityOptions;

  constructor(options: Omit<CosineSimilarityOptions, 'out'>) {
    super();
    this.#options = optionsFor('CosineSimilarity', options);
  }

  override forward(x1: Tensor, x2: Tensor): Tensor {
    return cosineSimilarity(x1, x2, this.#options);
  }
}

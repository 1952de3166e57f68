// Cosine similarity: the cosines of the angles between the vectors of two tensors along a dimension, with gradients.
import wgsl from '../../shaders/distances/cosine.wgsl?raw';
import { optionsFor } from '../define/module.ts';
import { comparePairs, declarePairRows } from '../define/pair-rows.ts';
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
import { checkIsOptions, checkNumber } from '../core/validate-options.ts';

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

const declaration = /* @__PURE__ */ declarePairRows({
  op,
  kind: 'distance',
  inputs: ['x1', 'x2'],
  compared: (options: CosineSimilarityOptions, others, { x1, x2 }) => {
    const params = resolveParams(op.name, specs, ['dim', ...others], options);
    const { dim = 1 } = options;
    checkNumber(op.name, 'dim', dim, { integer: true });
    const shape = broadcastShapes(op.name, [x1.shape, x2.shape], 'x2');
    const along = normalizeDim(op.name, dim, shape.length);
    const rowShape = shape.filter((_, d) => d !== along);
    return { params, shape, dim: along, rowShape, reduction: 'none' };
  },
});
export default declaration;

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
  checkIsOptions(op.name, options);
  checkTensors(op.name, { x1, x2 });
  const rows = declaration.compared(options, ['out'], { x1, x2 });
  return comparePairs({ op, operands: [x1, x2], out: options.out, ...rows });
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

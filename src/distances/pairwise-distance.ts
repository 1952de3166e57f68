// Pairwise distance: the p-norms of the differences between the vectors of two tensors, with gradients.
import wgsl from '../../shaders/distances/pairwise.wgsl?raw';
import { at } from '../cpu/rows.ts';
import { rowNorms } from '../kernels/rows/sources.ts';
import { optionsFor } from '../define/module.ts';
import { comparePairs, declarePairRows } from '../define/pair-rows.ts';
import { layoutOf, resolveParams } from '../define/params.ts';
import { source } from '../shader/link.ts';
import { norm, normGrad, normKind } from '../kernels/pair-rows/norm-reference.ts';
import type { PairRowsOp } from '../kernels/pair-rows/plan.ts';
import { Module } from '../nn/module.ts';
import { broadcastShapes } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkRank, checkTensors } from '../core/validate.ts';
import { checkBoolean, checkIsOptions } from '../core/validate-options.ts';

/** Options of `pairwiseDistance`. */
export interface PairwiseDistanceOptions {
  /** Degree of the norm, any number or ±Infinity. Defaults to 2. */
  p?: number;
  /** Added to each difference, which keeps the gradient of equal vectors finite. Defaults to 1e-6. */
  eps?: number;
  /** Whether the last dimension stays, as 1. Defaults to false. */
  keepdim?: boolean;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

const specs = { p: 2, eps: 1e-6 } as const;

const op: PairRowsOp = {
  name: 'pairwiseDistance',
  source: /* @__PURE__ */ source('distances/pairwise.wgsl', wgsl, [rowNorms]),
  params: /* @__PURE__ */ layoutOf(specs),
  operands: ['x', 'y'],
  powers: true,
  constants: ({ p = 2 }) => ({ kind: normKind(p), pairs: 1 }),
  reference: ([x, y], _label, { p = 2, eps = 0 }, upstream, grads) => {
    if (!x || !y) return NaN;
    const d = x.map((v, i) => v - at(y, i) + eps);
    const value = norm(d, p);
    const [gx, gy] = grads ?? [];
    if (gx && gy) {
      normGrad(d, p, value, upstream, gx);
      for (const [i, g] of gx.entries()) gy[i] = -g;
    }
    return value;
  },
};

const declaration = /* @__PURE__ */ declarePairRows({
  op,
  kind: 'distance',
  inputs: ['x1', 'x2'],
  compared: (options: PairwiseDistanceOptions, others, { x1, x2 }) => {
    const params = resolveParams(op.name, specs, ['keepdim', ...others], options);
    const { keepdim = false } = options;
    checkBoolean(op.name, 'keepdim', keepdim);
    checkRank(op.name, { x1, x2 }, 1);
    const shape = broadcastShapes(op.name, [x1.shape, x2.shape], 'x2');
    return {
      params,
      shape,
      dim: shape.length - 1,
      rowShape: [...shape.slice(0, -1), ...(keepdim ? [1] : [])],
      reduction: 'none',
    };
  },
});
export default declaration;

/**
 * The p-norm of x1 - x2 + eps along the last dimension: vectors [..., D], broadcast, give [...]. Gradients for both; that
 * of a norm of 0 is 0.
 *
 * @example pairwiseDistance(x1, x2, { p: 1 })
 */
export function pairwiseDistance(
  x1: Tensor,
  x2: Tensor,
  options: PairwiseDistanceOptions = {},
): Tensor {
  checkIsOptions(op.name, options);
  checkTensors(op.name, { x1, x2 });
  const rows = declaration.compared(options, ['out'], { x1, x2 });
  return comparePairs({ op, operands: [x1, x2], out: options.out, ...rows });
}

/** `pairwiseDistance` as a module. */
export class PairwiseDistance extends Module {
  readonly #options: PairwiseDistanceOptions;

  constructor(options: Omit<PairwiseDistanceOptions, 'out'>) {
    super();
    this.#options = optionsFor('PairwiseDistance', options);
  }

  override forward(x1: Tensor, x2: Tensor): Tensor {
    return pairwiseDistance(x1, x2, this.#options);
  }
}

import { normalizeDim, rowLayout } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkTensors } from '../core/validate.ts';
import { checkIsOptions } from '../core/validate-options.ts';
import { defineOp } from '../define/op.ts';
import { resolveParams } from '../define/params.ts';
import { declarePlainNorm, plainNorm } from '../define/plain-norm.ts';
import { warmUp } from '../define/prepare.ts';
import { normalizeKernel } from '../kernels/normalize/plan.ts';

/** Options of `normalize`. */
export interface NormalizeOptions {
  /** The degree of the norm: any number, infinities too. Defaults to 2. */
  p?: number;
  /** The dimension along which rows run. Defaults to 1. */
  dim?: number;
  /** What a row is divided by where its norm is less. Defaults to 1e-12. */
  eps?: number;
  /** Written instead of a new tensor; may be the input itself. Only where no gradient is recorded. */
  out?: Tensor;
}

const specs = {
  p: 2,
  dim: { default: 1, integer: true },
  eps: { default: 1e-12, min: 0 },
};

const declaration = /* @__PURE__ */ declarePlainNorm({
  name: 'normalize',
  kernel: normalizeKernel,
  call: ({ shape }, options: NormalizeOptions, others) => {
    const { p, dim, eps } = resolveParams('normalize', specs, others, options);
    const layout = rowLayout(shape, normalizeDim('normalize', dim, shape.length));
    return { layout, p, eps };
  },
});
export default declaration;

function apply(x: Tensor, options: NormalizeOptions = {}): Tensor {
  checkIsOptions('normalize', options);
  checkTensors('normalize', { x });
  return plainNorm(declaration, x, options, options.out);
}

/**
 * x / max(‖x‖_p, eps) along one dimension. Same shape, dtype and device as `x`; exact to float32 also where powers of elements, or the
 * norm, leave it. Where the norm is less than eps it is a constant, and the gradient that of a division by eps; of the norm itself the
 * gradient at 0 is 0. A row that holds NaN is NaN throughout; beside an infinity finite elements become 0.
 *
 * @example normalize(x, { dim: -1 })
 */
export const normalize = /* @__PURE__ */ defineOp(apply, {
  op: 'normalize',
  kind: 'norm',
  params: { p: 2, dim: 1, eps: 1e-12 },
  specs,
  prepare: (device, dtype) => {
    for (const shape of [
      [2, 64],
      [2, 4096],
      [8192, 2],
    ]) {
      warmUp(device, dtype, [shape], (x) => apply(x));
    }
  },
  accuracy: { forward: 8, backward: 12 },
  docs: {
    tex: String.raw`\frac{x_i}{\max(\lVert x \rVert_p, \epsilon)}`,
    derivative: String.raw`\partial y_i / \partial x_j = \tfrac{1}{N} \left(\delta_{ij} - y_i \, \partial N / \partial x_j\right) \text{ where } N = \lVert x \rVert_p \ge \epsilon, \text{otherwise} \delta_{ij} / \epsilon`,
    range: String.raw`[-1, 1] \text{ for } p \ge 1`,
    torch: 'normalize',
    cite: 'torch.nn.functional.normalize',
    kinks:
      'where the norm equals eps, the gradient is that of the norm; elements that share a maximum share its gradient',
    use: 'Scales vectors to length 1, so that their dot products are cosines. Use it for embeddings that are compared by direction.',
  },
});

import { rowLayout } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkRank, checkTensors } from '../core/validate.ts';
import { checkNumber, checkOptionNames } from '../core/validate-options.ts';
import { defineOp } from '../define/op.ts';
import { resolveParams } from '../define/params.ts';
import { declarePlainNorm, plainNorm } from '../define/plain-norm.ts';
import { warmUp } from '../define/prepare.ts';
import { localResponseKernel } from '../kernels/local-response/plan.ts';
import { Module } from '../nn/module.ts';

/** Options of `localResponseNorm`. */
export interface LocalResponseNormOptions {
  /** The weight of the mean of squares. Defaults to 1e-4. */
  alpha?: number;
  /** The power that the measure is raised to. Defaults to 0.75. */
  beta?: number;
  /** What is added to the weighted mean. Defaults to 1. */
  k?: number;
  /** Written instead of a new tensor; may be the input itself. Only where no gradient is recorded. */
  out?: Tensor;
}

const specs = { alpha: 1e-4, beta: 0.75, k: 1 };

const declaration = /* @__PURE__ */ declarePlainNorm({
  name: 'localResponseNorm',
  kernel: localResponseKernel,
  call: (
    x,
    options: LocalResponseNormOptions & {
      /** How many neighbouring channels count: an integer, at least 1. */
      readonly size: number;
    },
    others,
  ) => {
    const name = 'localResponseNorm';
    const params = resolveParams(name, specs, ['size', ...others], options);
    const { size } = options;
    checkNumber(name, 'size', size, { integer: true, min: 1 });
    checkRank(name, { x }, 3);
    return { layout: rowLayout(x.shape, 1), size, ...params };
  },
});
export default declaration;

function apply(x: Tensor, size: number, options: LocalResponseNormOptions = {}): Tensor {
  // The size is an argument, and an option of a plan only.
  checkOptionNames('localResponseNorm', options, [...Object.keys(specs), 'out']);
  checkTensors('localResponseNorm', { x });
  return plainNorm(declaration, x, { ...options, size }, options.out);
}

/**
 * x / (k + alpha · mean of x² over `size` neighbouring channels)^beta, of `x` [N, C, …] with at least three dimensions. The window
 * has `size / 2` channels, rounded down, ahead of its own; channels that are not there count as 0. Same shape, dtype and device as
 * `x`; right also where squares leave float32. Beside NaN elements of the window are NaN; beside an infinity 0.
 *
 * @example localResponseNorm(x, 5)
 */
export const localResponseNorm = /* @__PURE__ */ defineOp(apply, {
  op: 'localResponseNorm',
  kind: 'norm',
  params: specs,
  specs,
  prepare: (device, dtype) => {
    warmUp(device, dtype, [[1, 4, 4]], (x) => apply(x, 3));
  },
  accuracy: { forward: 8, backward: 12 },
  docs: {
    tex: String.raw`x_c \left(k + \frac{\alpha}{n} \sum_{j = c - \lfloor n / 2 \rfloor}^{c + \lfloor (n - 1) / 2 \rfloor} x_j^2\right)^{-\beta}`,
    derivative: String.raw`\partial y_i / \partial x_j = d_i^{-\beta} \delta_{ij} - \tfrac{2 \alpha \beta}{n} x_i x_j d_i^{-\beta - 1} \text{ for } j \text{ in the window of } i`,
    range: String.raw`(-\infty, \infty)`,
    shapes: '`x` [N, C, …], at least three dimensions; the result has the shape of `x`',
    torch: 'local_response_norm',
    cite: 'Krizhevsky, Sutskever & Hinton 2012, ImageNet Classification with Deep Convolutional Neural Networks',
    use: 'For AlexNet and other networks of its time: neighbouring channels reduce each other. Later networks use batchNorm.',
  },
});

/** `localResponseNorm` as a module. */
export class LocalResponseNorm extends Module {
  /** How many neighbouring channels count. */
  readonly size: number;
  readonly #options: Omit<LocalResponseNormOptions, 'out'>;

  constructor(size: number, options: Omit<LocalResponseNormOptions, 'out'> = {}) {
    super();
    checkNumber('LocalResponseNorm', 'size', size, { integer: true, min: 1 });
    checkOptionNames('LocalResponseNorm', options, Object.keys(specs));
    resolveParams('LocalResponseNorm', specs, [], options);
    this.size = size;
    this.#options = { ...options };
  }

  override forward(x: Tensor): Tensor {
    return localResponseNorm(x, this.size, this.#options);
  }
}

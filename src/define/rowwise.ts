// Makes a function of a tensor and a dimension, with gradient, from the declaration of an op over rows.
import type { Device } from '../core/device.ts';
import type { FloatDType } from '../core/dtype.ts';
import { source, type Source } from '../shader/link.ts';
import type { Kernel } from '../core/kernel.ts';
import { rowwise, type RowwiseArgs, type RowwiseOp } from '../kernels/rowwise/plan.ts';
import { normalizeDim, rowLayout } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkTensors } from '../core/validate.ts';
import { checkNumber, checkOptionNames } from '../core/validate-options.ts';
import { checkDeclaration } from './check-declaration.ts';
import { warmUp } from './prepare.ts';
import { defineOp, type Accuracy, type Declared, type OpDocs } from './op.ts';
import { callRows } from './rows.ts';

export interface RowwiseDeclaration {
  readonly name: string;
  /**
   * WGSL, by quads of a row's elements: `fn logit_of(x: vec4f) -> vec4f`, what is normalised; `fn
   * padding() -> f32`, an x of which that is -Inf; `fn divisor_of(row:
   * Normaliser) -> f32` from a row's maximum (`max`) and sum of exponentials (`sum`, on a scale of its own); `fn
   * forward(v: vec4f, row: Normaliser, divisor: f32) -> vec4f`, of exponentials on that scale where `const from_exp` is
   * true, else of logits; `const sum_excludes_max`, whether `log_sum_of(row)` is used; `fn backward_term(y: vec4f, grad_output: vec4f)
   * -> vec4f`, added up over the row; and `fn backward(y: vec4f, grad_output: vec4f, total: f32) -> vec4f`, the gradient.
   * Other functions for other kernels.
   */
  readonly wgsl: string;
  /** The kernel. By default `rowwise`, for ops that need a row's maximum and sum of exponentials. */
  readonly kernel?: Kernel<RowwiseArgs>;
  readonly includes?: readonly Source[];
  /** A row in float64. */
  readonly forward: (x: Float64Array, y: Float64Array) => void;
  /** A row's gradient in float64, from its result. */
  readonly backward: (y: Float64Array, gradOutput: Float64Array, gradInput: Float64Array) => void;
  /**
   * Magnitude of the largest term that each result, and each gradient, of a row is a sum of, where terms cancel: errors are
   * counted in ULP of that, where it is larger than the result.
   */
  readonly largestTerm?: {
    readonly forward?: (x: Float64Array, term: Float64Array) => void;
    readonly backward?: (y: Float64Array, gradOutput: Float64Array, term: Float64Array) => void;
  };
  /** Bounds for the tests. */
  readonly accuracy?: Accuracy;
  /** For tables and the demo; the build leaves it out. */
  readonly docs?: OpDocs;
}

export interface RowwiseOptions {
  /** The dimension normalised; negative ones count from the end. Required, as the right one is the caller's to know. */
  dim: number;
  /** Written instead of a new tensor; may be the input itself. Only where no gradient is recorded. */
  out?: Tensor;
}

/** An op along one dimension. Same shape, dtype and device as `x`. */
export interface Rowwise extends Declared {
  (x: Tensor, options: RowwiseOptions): Tensor;
  readonly kind: 'rowwise';
  /** @internal The same with a result of another dtype than `x`, rounded once. */
  readonly into: (x: Tensor, options: RowwiseOptions, dtype: FloatDType) => Tensor;
  /** @internal For the accuracy sweep. */
  readonly largestTerm: RowwiseDeclaration['largestTerm'];
}

/** Declares an op along a dimension whose gradient follows from its result. */
export function defineRowwise(declaration: RowwiseDeclaration): Rowwise {
  checkDeclaration('defineRowwise', declaration, ['forward', 'backward']);
  const { name, wgsl, includes, accuracy, docs, kernel = rowwise } = declaration;
  const op: RowwiseOp = { ...declaration, source: source(`${name}.wgsl`, wgsl, includes) };

  const apply = (x: Tensor, options: RowwiseOptions): Tensor => into(x, options);
  const into = (x: Tensor, options: RowwiseOptions, wanted?: FloatDType): Tensor => {
    checkOptionNames(name, options, ['dim', 'out']);
    checkNumber(name, 'dim', options.dim, { integer: true });
    checkTensors(name, { x });
    const layout = rowLayout(x.shape, normalizeDim(name, options.dim, x.rank));
    return callRows({
      op: name,
      kernel,
      inputs: [x],
      out: options.out,
      dtype: wanted,
      saves: 'result',
      forward: () => ({ op, layout, direction: 'forward' as const }),
      backward: () => ({ op, layout, direction: 'backward' as const }),
    });
  };
  const declared = defineOp(apply, {
    op: name,
    kind: 'rowwise',
    docs,
    accuracy,
    params: {},
    prepare: (device: Device, dtype: FloatDType) => {
      // Rows in chunks, in one piece, and few short ones; many of the last.
      for (const shape of [
        [1, 16384],
        [1, 1000],
        [1, 10],
        [8192, 2],
      ]) {
        warmUp(device, dtype, [shape], (x) => apply(x, { dim: 1 }));
      }
    },
  });
  return Object.assign(declared, { into, largestTerm: declaration.largestTerm });
}

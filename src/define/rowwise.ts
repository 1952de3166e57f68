// Makes a function of a tensor and a dimension, with gradient, from the declaration of an op on rows.
import { isRecording } from '../core/autograd.ts';
import type { Device } from '../core/device.ts';
import type { FloatDType } from '../core/dtype.ts';
import type { Source } from '../shader/link.ts';
import type { Kernel } from '../core/kernel.ts';
import type { RowwiseArgs } from '../kernels/rowwise/args.ts';
import { rowwise } from '../kernels/rowwise/plan.ts';
import { cast } from '../math/cast.ts';
import { normalizeDim } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import {
  checkBroadcastsTo,
  checkDevice,
  checkOut,
  checkTensor,
  checkTensors,
} from '../core/validate.ts';
import { checkOneOf } from '../core/validate-options.ts';
import { warmUp } from './prepare.ts';
import { defineOp, type Accuracy, type Declared, type OpDocs } from './op.ts';
import { resolveRowwise, rowwiseArgs, rowwiseOp } from './rowwise-call.ts';
import { callRows } from './rows.ts';

/** What `dtype` may be. */
const FLOATS: readonly FloatDType[] = ['float32', 'float16'];

export interface RowwiseDeclaration {
  readonly name: string;
  /**
   * WGSL functions on quads (vec4f) of a row's elements:
   * - `fn logit_of(x: vec4f) -> vec4f`: the numbers that are normalised.
   * - `fn padding() -> f32`: an x for which `logit_of` is -Inf.
   * - `fn divisor_of(row: Normaliser) -> f32`: from the maximum (`max`) and the sum of exponentials (`sum`, on its own scale).
   * - `fn forward(v: vec4f, row: Normaliser, divisor: f32) -> vec4f`: the result. `v` are exponentials on that scale if
   *   `const from_exp` is true, otherwise logits.
   * - `const sum_excludes_max`: whether `log_sum_of(row)` is used.
   * - `fn backward_term(y: vec4f, grad_output: vec4f) -> vec4f`: the terms that are summed over the row.
   * - `fn backward(y: vec4f, grad_output: vec4f, total: f32) -> vec4f`: the gradient, from that sum.
   * Other kernels have other functions.
   */
  readonly wgsl: string;
  /** The kernel. The default is `rowwise`, for ops that need the maximum and the sum of exponentials of a row. */
  readonly kernel?: Kernel<RowwiseArgs>;
  readonly includes?: readonly Source[];
  /** Computes one row in float64. */
  readonly forward: (x: Float64Array, y: Float64Array) => void;
  /** Computes the gradient of one row in float64, from the result of the row. */
  readonly backward: (y: Float64Array, gradOutput: Float64Array, gradInput: Float64Array) => void;
  /**
   * The magnitude of the largest term of each result, and of each gradient, in a row where terms cancel. Errors are
   * counted in ULP of this term where it is larger than the result.
   */
  readonly largestTerm?: {
    readonly forward?: (x: Float64Array, term: Float64Array) => void;
    readonly backward?: (y: Float64Array, gradOutput: Float64Array, term: Float64Array) => void;
  };
  /**
   * The result of elements that a mask leaves out: 0 or -Infinity. With it the op takes `mask` and `scale`, with the kernel
   * `rowwise`, and `logit_of(padding())` also stands for what is left out.
   */
  readonly leftOut?: number;
  /** The dimension where a call names none; without it every call has to. */
  readonly dim?: number;
  /** Error bounds that the tests check. */
  readonly accuracy?: Accuracy;
  /** Documentation for tables and the demo. The build removes it. */
  readonly docs?: OpDocs;
}

/** Options of an op along one dimension. */
export interface RowwiseOptions {
  /**
   * The dimension that is normalised; negative ones count from the end. It is required, because only the caller knows
   * the right one.
   */
  dim: number;
  /** Written instead of a new tensor; may be the input itself. Only where no gradient is recorded. */
  out?: Tensor;
}

/** Options of `softmax`, `logSoftmax` and `softmin`. */
export interface MaskedOptions extends RowwiseOptions {
  /** The dtype of the result, to which `x`, which may be int32 then, is converted first. Defaults to that of `x`. */
  dtype?: FloatDType;
  /**
   * int32, of a shape that broadcasts to that of `x`: elements where it is 0 do not count, whatever they are, NaN too. They give
   * 0, -Infinity of a logarithm, and have gradient 0, as does a row with nothing else.
   */
  mask?: Tensor | null;
  /** `x` is multiplied by it first, in float32. Defaults to 1. */
  scale?: number;
}

/** An op along one dimension. Same shape, dtype and device as `x`. */
export interface Rowwise<O extends RowwiseOptions = RowwiseOptions> extends Declared {
  (x: Tensor, options: O): Tensor;
  readonly kind: 'rowwise';
  /** @internal The same, with a result of another dtype than `x`, rounded once. */
  readonly into: (x: Tensor, options: RowwiseOptions, dtype: FloatDType) => Tensor;
  /** @internal For the accuracy test over all inputs. */
  readonly largestTerm: RowwiseDeclaration['largestTerm'];
}

/** An op along one dimension that has a default. */
export interface OptionalRowwise extends Rowwise {
  (x: Tensor, options?: Partial<RowwiseOptions>): Tensor;
}

/** A declaration as it is, with its types: what is made of it here, and by `plan/rowwise.ts`. */
export function declareRowwise<const D extends RowwiseDeclaration>(declaration: D): D {
  return declaration;
}

/** Declares an op along a dimension whose gradient is computed from its result. */
export function defineRowwise(
  declaration: RowwiseDeclaration & { readonly leftOut: number },
): Rowwise<MaskedOptions>;
export function defineRowwise(
  declaration: RowwiseDeclaration & { readonly dim: number },
): OptionalRowwise;
export function defineRowwise(declaration: RowwiseDeclaration): Rowwise;
export function defineRowwise(
  declaration: RowwiseDeclaration,
): Rowwise<MaskedOptions> & OptionalRowwise {
  const { name, accuracy, docs, kernel = rowwise } = declaration;
  const op = rowwiseOp(declaration);

  const apply = (x: Tensor, options?: Partial<MaskedOptions>): Tensor =>
    // Options that are missing, but may not be, are refused there; and null.
    into(x, options === undefined && declaration.dim !== undefined ? {} : (options as object));
  const into = (given: Tensor, options: Partial<MaskedOptions>, wanted?: FloatDType): Tensor => {
    const { dim: along, scale } = resolveRowwise(declaration, options);
    const { mask, out, dtype } = options;
    if (dtype === undefined) checkTensors(name, { x: given });
    else {
      checkOneOf(name, 'dtype', dtype, FLOATS);
      checkTensor(name, 'x', given, ['float32', 'float16', 'int32']);
      given.device.check(name);
      const like = { shape: given.shape, dtype, device: given.device };
      checkOut(name, out, like, isRecording([given]));
    }
    if (mask) {
      checkTensor(name, 'mask', mask, ['int32']);
      checkDevice(name, 'mask', mask, given.device);
      checkBroadcastsTo(name, 'mask', mask, given.shape);
    }
    const dim = normalizeDim(name, along, given.rank);
    // As in PyTorch x is converted first. The kernel itself reads float16 and writes float32.
    const x = dtype === undefined || given.dtype === 'float16' ? given : cast(given, dtype);
    const args = rowwiseArgs(op, x.shape, dim, { scale, mask: mask?.shape });
    const result = callRows({
      op: name,
      kernel,
      inputs: [x],
      constants: mask ? [mask] : [],
      keeps: mask ? [mask] : [],
      out,
      dtype: wanted ?? dtype,
      saves: 'result',
      forward: () => ({ ...args, direction: 'forward' as const }),
      backward: () => ({ ...args, direction: 'backward' as const }),
    });
    if (x !== given) x.dispose();
    return result;
  };
  const declared = defineOp(apply, {
    op: name,
    kind: 'rowwise',
    docs,
    accuracy,
    params: {},
    prepare: (device: Device, dtype: FloatDType) => {
      // Calls with rows in chunks, with whole rows, and with few and many short rows.
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

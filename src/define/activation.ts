// Makes a function with gradient, bias and `out` from the declaration of an activation: its formula and derivative,
// in WGSL and in float64, and its options.
import { isRecording, record } from '../core/autograd.ts';
import type { Device } from '../core/device.ts';
import type { NumericArray } from '../core/dtype.ts';
import { runOne } from '../core/dispatcher.ts';
import type { Source } from '../shader/link.ts';
import type { ParamValues } from '../shader/params.ts';
import { pointwise, type PointwiseOp } from '../kernels/pointwise/plan.ts';
import { copyOf } from '../kernels/pointwise/basic.ts';
import { sumTo } from '../kernels/reduce/sum-to.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkOut, checkShapeIs, checkTensors } from '../core/validate.ts';
import { activationOps, biasOps, resolveActivation } from './activation-ops.ts';
import { checkInPlace, recordInPlace, type InPlaceOption } from './in-place.ts';
import { defineOp, type Accuracy, type Declared, type OpDocs } from './op.ts';
import { LENGTHS, warmUp } from './prepare.ts';
import {
  defaultsOf,
  type NoParams,
  type ParamOptions,
  type ParamSpecs,
  type ParamsOf,
  requiredOf,
  variantsOf,
} from './params.ts';

/** What `defineActivation` takes: an activation in WGSL and in float64. */
export interface ActivationDeclaration<S extends ParamSpecs> {
  /** In messages and labels. */
  readonly name: string;
  /**
   * WGSL: `fn forward(x: f32, p: Params) -> f32` and `fn backward(x: f32, grad_output: f32, p: Params) -> f32`, the
   * gradient with respect to x. `Params` holds the options in snake_case; `p` is there even if there are none.
   */
  readonly wgsl: string;
  /** The files that `//#include` lines in `wgsl` name. */
  readonly includes?: readonly Source[];
  /** Options with their defaults; none by default. */
  readonly params?: S;
  /** Throws if options that are valid alone are not valid together. */
  readonly check?: (op: string, params: ParamsOf<S>) => void;
  /** The function in float64. The CPU uses it, and tests compare the GPU with it. */
  readonly forward: (x: number, params: ParamsOf<S>) => number;
  /**
   * `forward` over arrays, with the results in `y`. It is for formulas so short that a call per element costs as much
   * as the formula, because the engine puts the numbers of such a call into objects.
   */
  readonly forwardAll?: (x: NumericArray, y: NumericArray, params: ParamsOf<S>) => void;
  /** The gradient in float64; `backward(x, 1, params)` is the derivative. */
  readonly backward: (x: number, gradOutput: number, params: ParamsOf<S>) => number;
  /**
   * The magnitude of the largest term of the derivative, if the derivative is a sum that crosses 0. The error of
   * `backward` is then counted in ULP of this term, or of the derivative if that is larger.
   */
  readonly largestTerm?: (x: number, params: ParamsOf<S>) => number;
  /**
   * Given where calls may have `inplace`: whether `backward` gives the same from the result as from x. If not, a call that is
   * recorded keeps a copy of x.
   */
  readonly inplace?: (params: ParamsOf<S>) => boolean;
  /** Error bounds that the tests check. */
  readonly accuracy?: Accuracy;
  /** Documentation for tables and the demo. The build removes it. */
  readonly docs?: OpDocs;
}

/** Options of an activation: its own numbers, `bias` and `out`. */
export type ActivationOptions<S extends ParamSpecs> = ParamOptions<S> & {
  /** Added to `x` first, in the same kernel. Its length is that of the last dimension. */
  bias?: Tensor;
  /** Written instead of a new tensor; may be `x` itself. Only where no gradient is recorded. */
  out?: Tensor;
};

/** An elementwise activation. Same shape, dtype and device as `x`. */
export interface Activation<S extends ParamSpecs = ParamSpecs> extends Declared {
  (x: Tensor, options?: ActivationOptions<S>): Tensor;
  readonly kind: 'activation';
  /** @internal For kernels that apply the activation to their own results. */
  readonly epilogue: Epilogue<S>;
}

/** An elementwise activation whose result may be written over its input. */
export interface InPlaceActivation<S extends ParamSpecs = ParamSpecs> extends Activation<S> {
  (x: Tensor, options?: ActivationOptions<S> & InPlaceOption): Tensor;
  /** @internal Tells the type from others. */
  readonly overwrites: true;
}

/** @internal What a fused kernel needs of an activation. */
export interface Epilogue<S extends ParamSpecs = ParamSpecs> {
  readonly source: Source;
  readonly layout: PointwiseOp['params'];
  /**
   * The given options and the defaults of the others, checked. `others` are names of options that the caller checks.
   */
  readonly resolve: (op: string, options?: object, others?: readonly string[]) => ParamsOf<S>;
  readonly forward: (x: number, params: ParamsOf<S>) => number;
  readonly backward: (x: number, gradOutput: number, params: ParamsOf<S>) => number;
  readonly largestTerm: ((x: number, params: ParamsOf<S>) => number) | undefined;
  /** The gradient with respect to the input, from the pre-activation and gradOutput. */
  readonly gradient: (x: Tensor, gradOutput: Tensor, params: ParamsOf<S>) => Tensor;
}

/** A declaration as it is, with its types: what is made of it here, and by `plan/activation.ts`. */
export function declareActivation<const S extends ParamSpecs = NoParams>(
  declaration: ActivationDeclaration<S> & { readonly inplace: (params: ParamsOf<S>) => boolean },
): ActivationDeclaration<S> & { readonly inplace: (params: ParamsOf<S>) => boolean };
export function declareActivation<const S extends ParamSpecs = NoParams>(
  declaration: ActivationDeclaration<S>,
): ActivationDeclaration<S>;
export function declareActivation<const S extends ParamSpecs = NoParams>(
  declaration: ActivationDeclaration<S>,
): ActivationDeclaration<S> {
  return declaration;
}

/** An activation with a learned tensor, such as prelu: `(x, weight)`. */
export interface LearnedActivation extends Declared {
  (
    x: Tensor,
    weight: Tensor,
    options?: {
      /** Written instead of a new tensor; may be `x` itself. Only where no gradient is recorded. */
      out?: Tensor;
    },
  ): Tensor;
  readonly kind: 'activation';
  /** @internal For kernels that apply the activation to their own results. */
  readonly learned: LearnedEpilogue;
}

/** An activation that another kernel applies to its results, with its options. */
export type FusedActivation<S extends ParamSpecs = ParamSpecs> =
  { activation?: Activation<S>; activationOptions?: ParamOptions<S> } | FusedLearned;

/** `prelu`, with its weight. */
export interface FusedLearned {
  /** The activation. */
  activation: LearnedActivation;
  /** Its options, with the learned `weight`. */
  activationOptions: { weight: Tensor };
}

/** @internal What a fused kernel needs of an activation with a learned tensor. */
export interface LearnedEpilogue {
  /** Its `forward` takes the element, the learned number and the options. */
  readonly source: Source;
  readonly layout: PointwiseOp['params'];
  readonly forward: (x: number, params: ParamValues, learned: number) => number;
  /**
   * The gradients with respect to the input and, if that is wanted, the learned tensor, from the pre-activation, the learned tensor
   * in a shape that broadcasts to it, and gradOutput.
   */
  readonly gradients: (
    x: Tensor,
    learned: Tensor,
    gradOutput: Tensor,
    wanted: boolean,
  ) => [Tensor, Tensor | null];
}

/** The type of `defineActivation`: calls of an activation whose declaration has `inplace` may have it. */
export interface DefineActivation {
  <const S extends ParamSpecs = NoParams>(
    declaration: ActivationDeclaration<S> & { readonly inplace: (params: ParamsOf<S>) => boolean },
  ): InPlaceActivation<S>;
  <const S extends ParamSpecs = NoParams>(declaration: ActivationDeclaration<S>): Activation<S>;
}

/** Declares an elementwise activation: function, gradient, bias, float16 and fusion into `linear` follow from it. */
export const defineActivation: DefineActivation = <const S extends ParamSpecs = NoParams>(
  declaration: ActivationDeclaration<S>,
): InPlaceActivation<S> => {
  const { name, forward, backward, largestTerm, accuracy, docs } = declaration;
  const specs = declaration.params ?? ({} as S);
  const ops = activationOps(declaration);
  const { file, layout, forwardOp, backwardOp } = ops;
  const { forwardBiasOp, backwardBiasOp } = biasOps(declaration, ops);
  const known = ['bias', 'out', ...(declaration.inplace ? ['inplace'] : [])];
  const resolve = (op: string, options?: object, others: readonly string[] = known): ParamsOf<S> =>
    resolveActivation(declaration, op, others, options);
  const gradient = (
    x: Tensor,
    gradOutput: Tensor,
    params: ParamValues,
    bias?: Tensor,
    dtype = x.dtype,
  ): Tensor =>
    runOne(
      pointwise,
      { op: bias ? backwardBiasOp : backwardOp, params, shape: x.shape },
      bias ? [x, gradOutput, bias] : [x, gradOutput],
      { shape: x.shape, dtype },
    );

  /** The option values of a call without options. */
  let standard: ParamsOf<S> | undefined;
  const activation = (x: Tensor, options?: ActivationOptions<S> & InPlaceOption): Tensor => {
    const params = options === undefined ? (standard ??= resolve(name)) : resolve(name, options);
    const bias = options?.bias;
    const out = options?.out;
    checkTensors(name, bias ? { x, bias } : { x });
    if (bias) checkShapeIs(name, 'bias', bias, x.shape.slice(-1));
    const inputs = bias ? [x, bias] : [x];
    const recording = isRecording(inputs);
    checkOut(name, out, x, recording);
    const over = options?.inplace !== undefined && checkInPlace(name, options, x, recording);
    const copied = over && recording && (bias !== undefined || !declaration.inplace?.(params));
    const kept = copied ? copyOf(x) : x;
    const output = runOne(
      pointwise,
      { op: bias ? forwardBiasOp : forwardOp, params, shape: x.shape },
      inputs,
      over ? x : (out ?? x.like()),
    );
    if (!recording) return output;
    const recorded = (over ? recordInPlace : record)(
      output,
      name,
      inputs,
      bias ? [kept, bias] : [kept],
      (upstream, [savedX, savedBias], [needsX, needsBias]) => {
        if (!savedX) return [];
        if (!needsBias || !savedBias) return [gradient(savedX, upstream.tensor, params, savedBias)];
        // The bias gradient is summed from float32, so that it is rounded once.
        const wide = gradient(savedX, upstream.tensor, params, savedBias, 'float32');
        const grads = [
          needsX ? sumTo(wide, savedX.shape, savedX.dtype) : null,
          sumTo(wide, savedBias.shape, savedBias.dtype),
        ];
        wide.dispose();
        return grads;
      },
    );
    if (copied) kept.dispose();
    return recorded;
  };
  const declared = defineOp(activation, {
    op: name,
    kind: 'activation',
    docs,
    accuracy,
    params: defaultsOf(specs),
    required: requiredOf(specs),
    specs,
    prepare: (device: Device, dtype: 'float32' | 'float16') => {
      // All options are passed, because some of them are required.
      for (const options of variantsOf(specs)) {
        for (const length of LENGTHS) {
          warmUp(device, dtype, [[length]], (x) => activation(x, options as ActivationOptions<S>));
        }
      }
    },
  });
  return Object.assign(declared, {
    overwrites: true as const,
    epilogue: { source: file, layout, resolve, forward, backward, largestTerm, gradient },
  });
};

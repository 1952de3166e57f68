// Types: the declaration of a pointwise loss, and the function that is made from it.
import type { Source } from '../shader/link.ts';
import type { Shape } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import type { ValueRange } from '../core/validate.ts';
import type { Accuracy, Declared, OpDocs } from './op.ts';
import type { NoParams, ParamOptions, ParamSpecs, ParamsOf } from './params.ts';
import type { AnyReduction, Reduction } from './reduction.ts';

/** Names of tensors in formulas and options, in their order. */
export type TensorNames = readonly string[];
/** The names of the inputs of most losses. */
export type InputAndTarget = readonly ['input', 'target'];
/** No names of tensors. */
export type NoTensors = readonly [];
/** A number for each of these tensors: an element of it, or a gradient. */
export type LossNumbers<N extends TensorNames> = { readonly [K in keyof N]: number };
/** The inputs of a loss by their names in formulas and in calls: tensors, or elements of them. */
export type LossInputs<N extends TensorNames, T> = N extends InputAndTarget
  ? [input: T, target: T]
  : { [K in keyof N]: T };

/**
 * `N` are the names of the inputs, `D` the inputs that have a gradient, `W` the weights, and `R` the reductions. A
 * loss of `input` and `target` without weights needs none of these parameters.
 */
export interface LossDeclaration<
  S extends ParamSpecs,
  N extends TensorNames = InputAndTarget,
  D extends TensorNames = N,
  W extends TensorNames = NoTensors,
  R extends AnyReduction = Reduction,
> {
  /** In messages and labels. */
  readonly name: string;
  /**
   * WGSL: `fn loss(input: f32, expected: f32, p: Params) -> f32` and `fn loss_grad(input: f32, expected: f32,
   * grad_output: f32, p: Params) -> vec2f`, the gradients with respect to both (`target` is a reserved word in WGSL).
   * `Params` holds the options in snake_case; `p` is there even if there are none. Other inputs, and after them the
   * weights, come in their order; the result of `loss_grad` has a component for each differentiable input, and is an f32
   * for one.
   */
  readonly wgsl: string;
  /** The files that `//#include` lines in `wgsl` name. */
  readonly includes?: readonly Source[];
  /** Options with their defaults; none by default. */
  readonly params?: S;
  /**
   * Numbers that follow from the options and that float32 would round badly, as 1 - p. They are computed in float64, and
   * `Params` holds them beside the options.
   */
  readonly derived?: Readonly<Record<string, (params: ParamsOf<S>) => number>>;
  /** Names of the tensors a call has to give, in order. Defaults to `['input', 'target']`. */
  readonly inputs?: N;
  /** The inputs that have a gradient; all by default. */
  readonly differentiable?: D;
  /**
   * Names of options that are tensors, broadcast to the loss's shape. Formulas get 1 for one that is not given. They
   * have a gradient if `weightBackward` is declared.
   */
  readonly weights?: W;
  /** Whether weights must have the shape of the first input, as PyTorch demands it of some losses. */
  readonly weightsLikeInput?: boolean;
  /**
   * Whether a mean divides by the sum of the first weight, where it is given. The WGSL then includes `lib/div.wgsl`, and
   * the loss is `weight` times something.
   */
  readonly meanByWeight?: boolean;
  /**
   * The gradients with respect to the weights, in float64. In WGSL it is `weight_grad`, with the arguments of `loss_grad`;
   * its result has a component for each weight, and is an f32 for one.
   */
  readonly weightBackward?: (
    ...args: [...LossInputs<N, number>, ...LossNumbers<W>, gradOutput: number, params: ParamsOf<S>]
  ) => LossNumbers<W>;
  /** Names of inputs that a call may give as a number, which is kept in float32 whatever the dtype. */
  readonly numbers?: TensorNames;
  /** Reductions that are offered, the default first. Defaults to `['mean', 'sum', 'none']`. */
  readonly reductions?: readonly [R, ...R[]];
  /**
   * Returns the shapes with which the inputs are broadcast. Throws if the shapes do not fit each other. By default
   * the shapes do not change.
   */
  readonly arrange?: (
    op: string,
    shapes: readonly Shape[],
    inputs: readonly string[],
  ) => readonly Shape[];
  /**
   * Values that inputs may have. Other values throw an error if the host knows them; if not, the formula gets them.
   */
  readonly domain?: Readonly<Record<string, ValueRange>>;
  /** The loss of one element in float64. */
  readonly forward: (
    ...args: [...LossInputs<N, number>, ...LossNumbers<W>, params: ParamsOf<S>]
  ) => number;
  /** Its gradients with respect to the differentiable inputs, in float64. */
  readonly backward: (
    ...args: [...LossInputs<N, number>, ...LossNumbers<W>, gradOutput: number, params: ParamsOf<S>]
  ) => LossNumbers<D>;
  /**
   * The magnitudes of the largest terms of the loss and of its derivatives, if these are sums that cross 0. Errors
   * are counted in ULP of these terms where they are larger than the result.
   */
  readonly largestTerm?: {
    readonly forward?: (
      ...args: [...LossInputs<N, number>, ...LossNumbers<W>, params: ParamsOf<S>]
    ) => number;
    readonly backward?: (
      ...args: [...LossInputs<N, number>, ...LossNumbers<W>, params: ParamsOf<S>]
    ) => LossNumbers<D>;
  };
  /** Error bounds that the tests check. */
  readonly accuracy?: Accuracy;
  /** Documentation for tables and the demo. The build removes it. */
  readonly docs?: OpDocs;
}

/** Weights of losses, which broadcast to the shape of the loss. */
export interface LossWeights {
  /** A factor of each loss. */
  weight?: Tensor;
  /** A factor of the part of each loss that is of its positive target. */
  posWeight?: Tensor;
}

/** Options of a pointwise loss: its own numbers, tensors of weights, reduction, `out`. */
export type LossOptions<
  S extends ParamSpecs,
  W extends TensorNames = NoTensors,
  R extends AnyReduction = Reduction,
> = ParamOptions<S> &
  Pick<LossWeights, W[number] & keyof LossWeights> &
  Partial<Record<Exclude<W[number], keyof LossWeights>, Tensor>> & {
    /**
     * `'mean'` over all elements, `'sum'`, or `'none'` for the loss of each; `'mean'` unless the loss has another
     * default.
     */
    reduction?: R;
    /** Written instead of a new tensor. Only where no gradient is recorded. */
    out?: Tensor;
  };

/** @internal A declared loss without its types, as `checkGradient` needs it. */
export interface LossFormula<S extends ParamSpecs = ParamSpecs> {
  readonly inputs: TensorNames;
  readonly weights: TensorNames;
  readonly differentiable: TensorNames;
  readonly domain: Readonly<Record<string, ValueRange>>;
  readonly resolve: (options?: object) => ParamsOf<S>;
  /** `args` are the inputs, then the weights. */
  readonly forward: (args: readonly number[], params: ParamsOf<S>) => number;
  readonly backward: (
    args: readonly number[],
    gradOutput: number,
    params: ParamsOf<S>,
  ) => readonly number[];
  /** The magnitude of the largest term of the loss, then of each derivative; 0 where no terms cancel. */
  readonly largestTerms: (args: readonly number[], params: ParamsOf<S>) => readonly number[];
  readonly apply: (inputs: readonly (Tensor | number)[], options: object) => Tensor;
}

/** A pointwise loss of any inputs, as `checkGradient` takes it. */
export interface AnyLoss<S extends ParamSpecs = ParamSpecs> extends Declared {
  readonly kind: 'loss';
  /** @internal */
  readonly formula: LossFormula<S>;
}

/** A loss of its inputs, broadcast as in PyTorch. A scalar, or of the broadcast shape for `'none'`. */
export interface Loss<
  S extends ParamSpecs = ParamSpecs,
  N extends TensorNames = InputAndTarget,
  W extends TensorNames = NoTensors,
  R extends AnyReduction = Reduction,
> extends AnyLoss<S> {
  (...args: [...LossInputs<N, Tensor>, options?: LossOptions<S, W, R>]): Tensor;
}

/** The type of `defineLoss`. */
export type DefineLoss = <
  const S extends ParamSpecs = NoParams,
  const N extends TensorNames = InputAndTarget,
  const D extends TensorNames = N,
  const W extends TensorNames = NoTensors,
  const R extends AnyReduction = Reduction,
>(
  declaration: LossDeclaration<S, N, D, W, R>,
) => Loss<S, N, W, R>;

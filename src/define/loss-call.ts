// What a call of a declared loss is for the pointwise kernel: for its function, and for what is planned of it without one.
import type { DType, FloatDType } from '../core/dtype.ts';
import { sameShape, sizeOf, type Shape } from '../core/shape.ts';
import type { PointwiseArgs } from '../kernels/pointwise/args.ts';
import type { ParamValues } from '../shader/params.ts';
import type { LossOps, LossParts, Variant } from './loss-ops.ts';
import type { LossDeclaration, TensorNames } from './loss-types.ts';
import {
  derivedFrom,
  layoutOf,
  resolveParams,
  withDerived,
  type ParamSpecs,
  type ParamsOf,
} from './params.ts';
import { divisorOf, REDUCTIONS, type AnyReduction } from './reduction.ts';

export type AnyDeclaration<S extends ParamSpecs> = Pick<
  LossDeclaration<S, TensorNames, TensorNames, TensorNames, AnyReduction>,
  | 'inputs'
  | 'differentiable'
  | 'weights'
  | 'reductions'
  | 'name'
  | 'wgsl'
  | 'includes'
  | 'params'
  | 'derived'
> & { readonly forward: unknown; readonly backward: unknown; readonly weightBackward?: unknown };

/** The names of a declaration, and what stands for those that are left out. */
export function namesOf<S extends ParamSpecs>({
  inputs = ['input', 'target'],
  differentiable = inputs,
  weights = [],
  reductions = REDUCTIONS,
}: AnyDeclaration<S>): {
  inputs: TensorNames;
  differentiable: TensorNames;
  weights: TensorNames;
  reductions: readonly [AnyReduction, ...AnyReduction[]];
} {
  return { inputs, differentiable, weights, reductions };
}

export function lossParts<S extends ParamSpecs>(declaration: AnyDeclaration<S>): LossParts {
  const { name, wgsl, includes = [], params = {}, derived, weightBackward } = declaration;
  return {
    name,
    wgsl,
    includes,
    params: withDerived(layoutOf(params), derived),
    ...namesOf(declaration),
    forward: declaration.forward as LossParts['forward'],
    backward: declaration.backward as LossParts['backward'],
    weightBackward: (weightBackward as LossParts['weightBackward'] | undefined) ?? null,
  };
}

/** The options that are numbers, and what follows from them. `reduction`, the weights and `out` are the caller's to check. */
export function resolveLoss<S extends ParamSpecs>(
  declaration: AnyDeclaration<S>,
  options?: object,
): ParamsOf<S> {
  const { name, derived } = declaration;
  const others = [...namesOf(declaration).weights, 'reduction', 'out'];
  const params = resolveParams(name, declaration.params ?? ({} as S), others, options);
  return derived ? { ...params, ...derivedFrom(params, derived) } : params;
}

export interface LossShapes {
  readonly params: ParamValues;
  /** The shape that inputs and weights broadcast to. */
  readonly shape: Shape;
  /** That of the first input. */
  readonly own: Shape;
  readonly reduction: AnyReduction;
  /** The elements of the weight whose sum a mean divides by; else null. */
  readonly weighs: number | null;
}

/** The kernel's arguments in either direction. */
export function lossArgs(
  ops: LossOps,
  { params, shape, own, reduction, weighs }: LossShapes,
): Readonly<Record<'forward' | 'backward', (variant: Variant) => PointwiseArgs>> {
  const divisor = weighs === null ? divisorOf(reduction, shape, own) : 1;
  const scale = weighs === null ? 1 / divisor : weighs / sizeOf(shape);
  const common = { params, shape, scale };
  const sum = reduction === 'none' ? {} : { sum: divisor };
  return {
    forward: (variant) => ({ ...common, op: ops.forward(variant), ...sum }),
    backward: (variant) => ({ ...common, op: ops.backward(variant) }),
  };
}

/** What a gradient is before it is summed to the shape of its input: float32 then, so that it is rounded once. */
export function gradientLike(
  input: { readonly shape: Shape; readonly dtype: DType },
  shape: Shape,
): { shape: Shape; dtype: FloatDType } {
  const stays = input.dtype === 'float16' && sameShape(input.shape, shape);
  return { shape, dtype: stays ? 'float16' : 'float32' };
}

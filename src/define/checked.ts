// How an app declares ops of its own: as this package does (`activation.ts`, `loss.ts`), with a declaration that is checked first.
// Those of this package are held by the compiler and the tests, and a bundle without an app's does not have the checks.
import { checkDeclaration, checkNames } from './check-declaration.ts';
import {
  defineActivation as define,
  type Activation,
  type ActivationDeclaration,
  type InPlaceActivation,
} from './activation.ts';
import { namesOf } from './loss-call.ts';
import { defineLoss as defineUnchecked } from './loss.ts';
import type {
  InputAndTarget,
  Loss,
  LossDeclaration,
  NoTensors,
  TensorNames,
} from './loss-types.ts';
import type { NoParams, ParamSpecs, ParamsOf } from './params.ts';
import { ALL_REDUCTIONS, type AnyReduction, type Reduction } from './reduction.ts';

/** The component names of a WGSL vector, which `loss_grad` returns. */
const MOST_GRADIENTS = 4;

/** Declares an elementwise activation: function, gradient, bias, float16 and fusion into `linear` follow from it. */
export function defineActivation<const S extends ParamSpecs = NoParams>(
  declaration: ActivationDeclaration<S> & { readonly inplace: (params: ParamsOf<S>) => boolean },
): InPlaceActivation<S>;
export function defineActivation<const S extends ParamSpecs = NoParams>(
  declaration: ActivationDeclaration<S>,
): Activation<S>;
export function defineActivation<const S extends ParamSpecs = NoParams>(
  declaration: ActivationDeclaration<S>,
): Activation<S> {
  checkDeclaration('defineActivation', declaration, ['forward', 'backward']);
  return define(declaration);
}

/** Declares a pointwise loss: reductions, broadcasting, gradients, float16 and fusion follow from it. */
export function defineLoss<
  const S extends ParamSpecs = NoParams,
  const N extends TensorNames = InputAndTarget,
  const D extends TensorNames = N,
  const W extends TensorNames = NoTensors,
  const R extends AnyReduction = Reduction,
>(declaration: LossDeclaration<S, N, D, W, R>): Loss<S, N, W, R> {
  const op = 'defineLoss';
  checkDeclaration(op, declaration, ['forward', 'backward']);
  const { inputs, differentiable, weights, reductions } = namesOf(declaration);
  checkNames(op, 'inputs', inputs);
  checkNames(op, 'differentiable', differentiable, inputs, MOST_GRADIENTS);
  const given: unknown = weights;
  checkNames(op, 'weights', Array.isArray(given) ? inputs.concat(weights) : given);
  checkNames(op, 'reductions', reductions, ALL_REDUCTIONS);
  return defineUnchecked(declaration);
}

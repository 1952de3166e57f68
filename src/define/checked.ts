// How an app declares ops of its own: as this package does (`activation.ts`, `loss.ts`), with a declaration that is checked first.
// Those of this package are held by the compiler and the tests, and a bundle without an app's does not have the checks.
import { defineActivation as activation, type DefineActivation } from './activation.ts';
import { checkDeclaration, checkNames } from './check-declaration.ts';
import { namesOf, type AnyDeclaration } from './loss-call.ts';
import { defineLoss as loss } from './loss.ts';
import type { DefineLoss } from './loss-types.ts';
import type { ParamSpecs } from './params.ts';
import { ALL_REDUCTIONS } from './reduction.ts';

/** The component names of a WGSL vector, which `loss_grad` returns. */
const MOST_GRADIENTS = 4;

/** The same function, of a declaration that is checked first. */
function checked<F extends (declaration: never) => unknown>(
  define: F,
  check: (declaration: AnyDeclaration<ParamSpecs>) => void,
): F {
  const both: (declaration: never) => unknown = (declaration) => {
    check(declaration);
    return define(declaration);
  };
  return both as F;
}

/**
 * Declares an elementwise activation: function, gradient, bias, float16 and fusion into `linear` follow from it.
 *
 * @example defineActivation({ name: 'double', wgsl, forward: (x) => 2 * x, backward: (x, g) => 2 * g })
 * @function
 * @throws `OptionError` for a declaration that is not whole. `ShaderError` comes with the first result, where the WGSL does not compile.
 */
export const defineActivation: DefineActivation = /* @__PURE__ */ checked(
  activation,
  (declaration) => {
    checkDeclaration('defineActivation', declaration, ['forward', 'backward']);
  },
);

/**
 * Declares a pointwise loss: reductions, broadcasting, gradients, float16 and fusion follow from it.
 *
 * @example defineLoss({ name: 'robust', params: { scale: 1 }, wgsl, forward, backward })
 * @function
 * @throws `OptionError` for a declaration that is not whole. `ShaderError` comes with the first result, where the WGSL does not compile.
 */
export const defineLoss: DefineLoss = /* @__PURE__ */ checked(loss, (declaration) => {
  const op = 'defineLoss';
  checkDeclaration(op, declaration, ['forward', 'backward']);
  const { inputs, differentiable, weights, reductions } = namesOf(declaration);
  checkNames(op, 'inputs', inputs);
  checkNames(op, 'differentiable', differentiable, inputs, MOST_GRADIENTS);
  const given: unknown = weights;
  checkNames(op, 'weights', Array.isArray(given) ? inputs.concat(weights) : given);
  checkNames(op, 'reductions', reductions, ALL_REDUCTIONS);
});

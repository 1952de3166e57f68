// The float64 formulas of a declared loss, for `checkGradient`.
import type { LossParts } from './loss-ops.ts';
import type { LossFormula } from './loss-types.ts';
import type { ParamSpecs } from './params.ts';

/** A declaration without its types, for `checkGradient`. */
export function formulaOf<S extends ParamSpecs>(
  {
    largestTerm,
  }: { readonly largestTerm?: { readonly forward?: unknown; readonly backward?: unknown } },
  { inputs, weights, differentiable, forward, backward }: LossParts,
  domain: LossFormula['domain'],
  resolve: LossFormula<S>['resolve'],
  apply: LossFormula['apply'],
): LossFormula<S> {
  const terms = largestTerm as
    { forward?: LossParts['forward']; backward?: LossParts['backward'] } | undefined;
  return {
    inputs,
    weights,
    differentiable,
    domain,
    resolve,
    forward: (args, params) => forward(...args, params),
    backward: (args, gradOutput, params) => backward(...args, gradOutput, params),
    largestTerms: (args, params) => [
      terms?.forward?.(...args, params) ?? 0,
      ...(terms?.backward?.(...args, params) ?? differentiable.map(() => 0)),
    ],
    apply,
  };
}

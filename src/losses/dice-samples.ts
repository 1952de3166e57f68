// What a call of diceLoss is for its kernels: for its function, and for what is planned of it without one.
import type { Shape } from '../core/shape.ts';
import { sizeOf } from '../core/shape.ts';
import { checkOneOf } from '../core/validate-options.ts';
import { sameShapes } from '../define/arrange.ts';
import { resolveParams } from '../define/params.ts';
import { REDUCTIONS, type Reduction } from '../define/reduction.ts';
import type { DiceArgs } from '../kernels/dice/plan.ts';
import type { PointwiseArgs, PointwiseOp } from '../kernels/pointwise/args.ts';
import { div } from '../shader/lib.ts';
import { source } from '../shader/link.ts';

export const NAME = 'diceLoss';
export const SPECS = { eps: { default: 1, min: 0 } } as const;

/** The gradient of one input, from the other input: 2 (half - other) / size, times gradOutput. */
const gradientOp: PointwiseOp = {
  name: NAME,
  params: { names: [] },
  source: /* @__PURE__ */ source('diceLoss.wgsl', '//#include "lib/div.wgsl"\n', [div]),
  inputs: ['other', 'half', 'size', 'grad_output'],
  results: 1,
  body: '  return Results(nl_divide(half - other, size) * (2.0 * grad_output * u.scale));',
  reference: ([other = NaN, half = NaN, size = NaN, gradOutput = NaN], r, _p, _i, scale) => {
    r[0] = ((half - other) / size) * 2 * gradOutput * scale;
  },
};
/** The same gradient for an upstream gradient of 1. */
const fusedOp: PointwiseOp = {
  ...gradientOp,
  inputs: ['other', 'half', 'size'],
  body: '  return Results(nl_divide(half - other, size) * (2.0 * u.scale));',
  reference: ([other = NaN, half = NaN, size = NaN], r, _p, _i, scale) => {
    r[0] = ((half - other) / size) * 2 * scale;
  },
};

export interface DiceCall {
  readonly reduction: Reduction;
  /** The shape of the result. */
  readonly shape: Shape;
  /** That of what is kept of each sample, half and size: it broadcasts to the inputs. */
  readonly perSample: Shape;
  readonly args: DiceArgs;
  /**
   * The arguments of the gradient of one input, from the other input, half and size; and an upstream gradient, of `perSample`
   * where the losses are not reduced.
   */
  readonly gradient: (upstream: boolean) => PointwiseArgs;
}

/** What a call is. Throws for what it refuses but for the tensors' dtypes and devices. */
export function diceCall(
  options: object,
  others: readonly string[],
  input: { readonly shape: Shape },
  target: { readonly shape: Shape },
): DiceCall {
  const { eps } = resolveParams(NAME, SPECS, ['reduction', ...others], options);
  const { reduction = 'mean' } = options as { readonly reduction?: Reduction };
  checkOneOf(NAME, 'reduction', reduction, REDUCTIONS);
  const { shape } = input;
  sameShapes(NAME, [shape, target.shape]);
  // A vector is a single sample.
  const samples = shape.length > 1 ? shape.slice(0, 1) : [];
  const sample = shape.slice(samples.length);
  const [rows, n] = [sizeOf(samples), sizeOf(sample)];
  const divisor = reduction === 'mean' ? rows : 1;
  const reduced = reduction !== 'none';
  return {
    reduction,
    shape: reduced ? [] : samples,
    perSample: [...samples, ...sample.map(() => 1)],
    args: { rows, n, eps, ...(reduced ? { sum: divisor } : {}) },
    gradient: (upstream) => ({
      op: upstream ? gradientOp : fusedOp,
      params: {},
      shape,
      scale: 1 / divisor,
    }),
  };
}

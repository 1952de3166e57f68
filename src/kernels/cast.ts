// In: a tensor. Out: the same numbers in another dtype: the pointwise kernel's own stub, the identity.
import type { Shape } from '../shape.ts';
import { pointwise, type PointwiseArgs, type PointwiseOp } from './pointwise.ts';

export const identity: PointwiseOp = {
  name: 'identity',
  params: { names: [] },
  inputs: ['x'],
  results: 1,
  body: '  return Results(x);',
  reference: (v, r) => {
    r[0] = v[0] ?? NaN;
  },
  unary: (x) => x,
};

export const castKernel = pointwise;

export function castArgs(shape: Shape): PointwiseArgs {
  return { op: identity, params: {}, shape };
}

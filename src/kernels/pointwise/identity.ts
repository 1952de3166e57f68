// The op that copies its input. It is the default of the pointwise kernel's slot.
import type { Shape } from '../../core/shape.ts';
import type { PointwiseArgs, PointwiseOp } from './args.ts';

export const identity: PointwiseOp = {
  name: 'identity',
  params: { names: [] },
  inputs: ['x'],
  results: 1,
  body: '  return Results(x);',
  unary: (x) => x,
};

export function castArgs(shape: Shape): PointwiseArgs {
  return { op: identity, params: {}, shape };
}

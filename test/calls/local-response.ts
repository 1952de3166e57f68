// Takes localResponseNorm, and gives its calls.
import fc from 'fast-check';
import type { Call } from './call.ts';
import { floats, magnitudes, maybe, sized, type Drawn, type Values } from './draw.ts';
import type { Family } from './family.ts';
import { call, numbers, wrongOption, wrongShape } from './wrong.ts';

function localResponseCalls(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const own = fc
    .tuple(
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 1, max: 9 }),
      fc.array(fc.constantFrom(1, 2, 3, 40), { minLength: 1, maxLength: 3 }),
    )
    .map(([batch, channels, rest]) => [batch, channels, ...rest]);
  return fc
    .tuple(
      sized(drawn, own, (r, c) => [1, r, c]),
      magnitudes,
      fc.integer({ min: 1, max: 7 }),
      maybe({
        alpha: fc.constantFrom(1e-4, 0.5, 2),
        beta: fc.constantFrom(0.5, 0.75, 1),
        k: fc.constantFrom(1, 2, 0.75),
      }),
    )
    .chain(([shape, magnitude, size, options]) =>
      floats(shape, kind, magnitude).map((x): Call => ({
        op,
        positional: { x },
        optional: {},
        options,
        rest: [size],
        differentiable: ['x'],
        scale: magnitude,
        scales: { x: 2 * size },
      })),
    );
}

export const localResponseFamily: Family = {
  ops: ['localResponseNorm'],
  draw: localResponseCalls,
  valid: (op) => call(op, { x: numbers([2, 3, 2]) }, { rest: [2], options: { alpha: 0.5 } }),
  resultShape: () => [2, 3, 2],
  wrongs: () => [
    wrongShape('x', [2, 3]),
    wrongShape('x', [4]),
    wrongShape('x', []),
    wrongOption('alpha', NaN),
    wrongOption('beta', '1'),
    wrongOption('k', null),
    wrongOption('size', 3),
  ],
};

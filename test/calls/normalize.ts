// Takes normalize, and gives its calls.
import fc from 'fast-check';
import { IndexOutOfRangeError } from '../../src/index.ts';
import type { Call } from './call.ts';
import { floats, magnitudes, maybe, shapes, sized, type Drawn, type Values } from './draw.ts';
import type { Family } from './family.ts';
import { call, numbers, wrongOption } from './wrong.ts';

/** The gradient of a norm of a small or negative degree is infinite at 0, of an extreme one that of whichever element is it. */
const SMOOTH = [1, 2, 2, 3, 1.5];
const ANY = [...SMOOTH, 2, 2, Infinity, 0];

function normalizeCalls(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  return fc
    .tuple(
      sized(drawn, shapes, (r, c) => [r, c]),
      magnitudes,
      fc.nat(),
      maybe({
        p: fc.constantFrom(...(kind === 'smooth' ? SMOOTH : ANY)),
        eps: fc.constantFrom(1e-6, 1),
      }),
    )
    .chain(([shape, magnitude, pick, options]) => {
      const rank = Math.max(shape.length, 1);
      const dim = drawn === shapes ? (pick % (2 * rank)) - rank : -1;
      return floats(shape, kind, magnitude).map((x): Call => {
        const n = shape.at(dim) ?? 1;
        // A row's norm is at least that of its largest element, but gradients are in units of the smallest.
        const factor = Math.min(...[1, ...x.data.map(Math.abs)].filter((v) => v > 0));
        const least = Math.max(factor, Number(options.eps ?? 1e-12));
        return {
          op,
          positional: { x },
          optional: {},
          options: { ...options, dim },
          differentiable: ['x'],
          scale: 1,
          scales: { x: (4 * Math.sqrt(n)) / least },
        };
      });
    });
}

export const normalizeFamily: Family = {
  ops: ['normalize'],
  adaptive: true,
  draw: normalizeCalls,
  valid: (op) => call(op, { x: numbers([2, 3]) }, { options: { p: 3, dim: 0 } }),
  resultShape: () => [2, 3],
  wrongs: () => [
    wrongOption('dim', 2, IndexOutOfRangeError),
    wrongOption('dim', -3, IndexOutOfRangeError),
    wrongOption('dim', 0.5),
    wrongOption('dim', '1'),
    wrongOption('p', NaN),
    wrongOption('p', '2'),
    wrongOption('eps', -1),
  ],
};

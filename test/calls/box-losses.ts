// Takes losses of boxes, and gives their calls.
import fc from 'fast-check';
import type { Call, TensorSpec } from './call.ts';
import { floats, maybe, randomNumbers, sized, type Drawn, type Values } from './draw.ts';
import type { Family } from './family.ts';
import { call, wrongOption, wrongShape } from './wrong.ts';

/** Boxes with sides of 0.3 to 2.3, in a field of 3 by 3. */
function boxes(shape: readonly number[]): fc.Arbitrary<TensorSpec> {
  const rows = shape.slice(0, -1).reduce((n, d) => n * d, 1);
  return fc.noShrink(fc.nat()).map((seed): TensorSpec => {
    const random = randomNumbers(seed);
    const data = Array.from({ length: rows }, () => {
      const [x, y, w, h] = [3 * random(), 3 * random(), 2 * random(), 2 * random()];
      return [x, y, x + 0.3 + w, y + 0.3 + h].map(Math.fround);
    }).flat();
    const shown = { [fc.toStringMethod]: () => `boxes [${shape.join()}] from ${seed}` };
    return { shape, dtype: 'float', data, ...shown };
  });
}

/** Of other kinds than `smooth` some have a corner that is one of them. */
const corners = (shape: readonly number[], kind: Values): fc.Arbitrary<TensorSpec> =>
  kind === 'smooth'
    ? boxes(shape)
    : fc.tuple(boxes(shape), floats(shape, kind, 1)).map(([plain, odd]): TensorSpec => {
        const data = plain.data.map((v, i) => {
          const other = odd.data[i] ?? NaN;
          return i % 16 === 3 || Number.isNaN(other) ? other : v;
        });
        // Still boxes: the lesser corner first.
        for (let i = 0; i < data.length; i++) {
          const [low = NaN, high = NaN] = [data[i], data[i + 2]];
          if (i % 4 < 2 && low > high) [data[i], data[i + 2]] = [high, low];
        }
        const shown = {
          [fc.toStringMethod]: () => `${fc.stringify(plain)} with some of ${fc.stringify(odd)}`,
        };
        return { ...plain, data, ...shown };
      });

function drawCalls(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const own = fc.oneof(
    fc.nat(9).map((n) => [n, 4]),
    fc.constant([4]),
    fc.integer({ min: 200, max: 900 }).map((n) => [n, 4]),
  );
  const options = {
    eps: fc.constantFrom(1e-7, 0.0009765625, 0.5),
    reduction: fc.constantFrom('none', 'mean', 'sum'),
  };
  return fc
    .tuple(
      sized(drawn, own, (rows) => [rows, 4]),
      maybe(options),
    )
    .chain(([shape, given]) =>
      fc.record({
        op: fc.constant(op),
        positional: fc.record({ boxes1: corners(shape, kind), boxes2: boxes(shape) }),
        optional: fc.constant({}),
        options: fc.constant(given),
        differentiable: fc.constant(['boxes1']),
        scale: fc.constant(32 * (given.reduction === 'sum' ? Math.max(1, shape[0]) : 1)),
      }),
    );
}

const plain = (shift: number): TensorSpec => ({
  shape: [2, 4],
  dtype: 'float',
  data: [0, 0, 2, 1, 1, 1, 2, 3].map((v) => v + shift),
});

export const boxLossFamily: Family = {
  ops: ['generalizedBoxIouLoss', 'distanceBoxIouLoss', 'completeBoxIouLoss'],
  kinked: true,
  // alpha: see test/unit/box-losses.test.ts
  heldFixed: ['completeBoxIouLoss'],
  draw: drawCalls,
  valid: (op) =>
    call(op, { boxes1: plain(0), boxes2: plain(0.25) }, { differentiable: ['boxes1'] }),
  resultShape: () => [2],
  wrongs: () => [
    wrongShape('boxes1', [2, 3]),
    wrongShape('boxes1', [1, 2, 4]),
    wrongShape('boxes1', []),
    wrongShape('boxes2', [1, 4]),
    wrongShape('boxes2', [4]),
    ...[0, -1, NaN].map((value) => wrongOption('eps', value)),
  ],
};

// Takes the distillation loss, and gives its calls.
import fc from 'fast-check';
import type { Call } from './call.ts';
import { floats, magnitudes, maybe, sized, type Drawn, type Values } from './draw.ts';
import type { Family } from './family.ts';
import { call, numbers, wrongOption, wrongShape } from './wrong.ts';

function distillationCalls(kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const own = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 3 });
  const options = maybe({
    // Of other temperatures float32 rounds the quotient first.
    temperature: fc.constantFrom(1, 2, 4),
    reduction: fc.constantFrom('none', 'mean', 'sum', 'batchmean'),
  });
  return fc
    .tuple(
      sized(drawn, own, (r, c) => [r, c]),
      magnitudes,
      options,
    )
    .chain(([shape, magnitude, given]) =>
      fc.record({
        op: fc.constant('distillationLoss'),
        positional: fc.record({
          studentLogits: floats(shape, kind, magnitude),
          teacherLogits: floats(shape, kind, magnitude),
        }),
        optional: fc.constant({}),
        options: fc.constant(given),
        differentiable: fc.constant(['studentLogits']),
        // The square of the temperature, and rows that are added up.
        scale: fc.constant(
          32 * Math.max(magnitude, 4) * (given.reduction === 'sum' ? (shape[0] ?? 1) : 1),
        ),
      }),
    );
}

export const distillationFamily: Family = {
  ops: ['distillationLoss'],
  adaptive: true,
  draw: (_op, kind, drawn) => distillationCalls(kind, drawn),
  valid: (op) => ({
    ...call(
      op,
      { studentLogits: numbers([2, 3]), teacherLogits: numbers([2, 3], 1) },
      { options: { temperature: 2, reduction: 'none' } },
    ),
    differentiable: ['studentLogits'],
  }),
  resultShape: () => [2, 3],
  wrongs: () => [
    wrongShape('teacherLogits', [2, 2]),
    wrongShape('teacherLogits', [3]),
    wrongOption('temperature', 0),
    wrongOption('temperature', -1),
  ],
};

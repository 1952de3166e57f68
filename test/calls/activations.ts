// Takes elementwise activations, and gives their calls.
import fc from 'fast-check';
import { catalog } from '../../src/catalog.ts';
import { sizeOf } from '../../src/core/shape.ts';
import type { Call, TensorSpec } from './call.ts';
import {
  finite,
  floats,
  magnitudes,
  maybe,
  params,
  requiredOf,
  requiredOptions,
  type Drawn,
  type Values,
} from './draw.ts';
import type { Family } from './family.ts';
import { call, numbers, wrongOption, wrongShape, type Wrong } from './wrong.ts';

/** Ops declared with `defineActivation`: elementwise, with a bias option. */
export const elementwise: readonly string[] = catalog
  .filter((op) => op.kind === 'activation' && 'epilogue' in op)
  .map(({ op }) => op);

/** Ops whose derivative crosses 0 where it is a difference of larger terms: there its error is relative to those. */
const CROSSING = ['gelu', 'silu', 'mish', 'quickGelu', 'hardswish', 'swish', 'snake'];

function elementwiseCalls(op: string, kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  return fc
    .tuple(drawn, magnitudes, fc.boolean(), maybe(params(op), requiredOf(op)))
    .chain(([shape, magnitude, biased, options]) => {
      const withBias = biased && shape.length > 0;
      const optional: Record<string, fc.Arbitrary<TensorSpec>> = withBias
        ? { bias: finite(shape.slice(-1), 1) }
        : {};
      return fc.record({
        op: fc.constant(op),
        positional: fc.record({ x: floats(shape, kind, magnitude) }),
        optional: fc.record(optional),
        options: fc.constant(options),
        differentiable: fc.constant(withBias ? ['x', 'bias'] : ['x']),
        // x + bias, with a bias of at most 1, is rounded before the function is applied.
        scale: fc.constant(withBias ? 0.25 * (magnitude + 1) : 0),
        scales: fc.constant({
          ...(CROSSING.includes(op) ? { x: 0.5 + (withBias ? 0.25 * magnitude : 0) } : {}),
          ...(withBias ? { bias: 2 * sizeOf(shape) } : {}),
          // What rounding of x + bias moves the phase by.
          ...(op === 'snake' && withBias ? { x: 128, bias: 128 * sizeOf(shape) } : {}),
        }),
      });
    });
}

/** Calls of snake with a learned alpha: one, or one per channel. */
function learnedSnakeCalls(kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  return fc.tuple(drawn, magnitudes, fc.boolean()).chain(([shape, magnitude, shared]) => {
    const channels = shape.length > 1 ? (shape[1] ?? 1) : 1;
    // Up to where float32 has the wave.
    const largest = kind === 'smooth' ? magnitude : 2 ** 20;
    return fc.record({
      op: fc.constant('snake'),
      positional: fc.record({ x: floats(shape, kind, magnitude) }),
      optional: fc.record({
        alpha: floats([shared ? 1 : channels], 'smooth', 2, true).map((spec) => ({
          ...spec,
          data: spec.data.map((value) => value + 0.25),
        })),
      }),
      options: fc.constant({}),
      differentiable: fc.constant(['x', 'alpha']),
      scale: fc.constant(1),
      scales: fc.constant({ alpha: 16 * largest * Math.max(1, sizeOf(shape)) }),
    });
  });
}

function rreluCalls(kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  const bounds = fc.constantFrom({}, { lower: 0.25, upper: 0.25 }, { lower: -0.5, upper: 1.5 });
  return fc
    .tuple(drawn, magnitudes, bounds, fc.boolean())
    .chain(([shape, magnitude, limits, training]) =>
      fc.record({
        op: fc.constant('rrelu'),
        positional: fc.record({ x: floats(shape, kind, magnitude) }),
        optional: fc.constant({}),
        options: fc.constant({ ...limits, ...(training ? { training } : {}) }),
        differentiable: fc.constant(['x']),
        // lower + span · u loses where it cancels.
        scale: fc.constant(training ? magnitude : 0),
      }),
    );
}

function preluCalls(kind: Values, drawn: Drawn): fc.Arbitrary<Call> {
  return fc.tuple(drawn, magnitudes, fc.boolean()).chain(([shape, magnitude, shared]) => {
    const channels = shape.length > 1 ? (shape[1] ?? 1) : 1;
    return fc.record({
      op: fc.constant('prelu'),
      positional: fc.record({
        x: floats(shape, kind, magnitude),
        weight: finite([shared ? 1 : channels], 1),
      }),
      optional: fc.constant({}),
      options: fc.constant({}),
      differentiable: fc.constant(['x', 'weight']),
      scale: fc.constant(magnitude * Math.max(1, sizeOf(shape))),
    });
  });
}

const biasWrongs: readonly Wrong[] = [
  wrongShape('bias', [2]),
  wrongShape('bias', [2, 3]),
  wrongShape('bias', []),
];

/** Options out of their range. */
const OUT_OF_RANGE: Readonly<Record<string, readonly Wrong[]>> = {
  celu: [wrongOption('alpha', 0)],
  softshrink: [wrongOption('lambd', -0.5)],
  // Two limits that do not fit: either may be named.
  hardtanh: [wrongOption('minVal', 1.5), { ...wrongOption('maxVal', -1.5), names: '' }],
  gelu: [wrongOption('approximate', 'exact'), wrongOption('approximate', '')],
  snake: [wrongOption('alpha', 0), { ...wrongOption('a', -1), names: 'alpha' }],
  squareplus: [wrongOption('b', 0), wrongOption('b', Infinity)],
  softcap: [wrongOption('cap', 0), wrongOption('cap', -1)],
};

export const activationFamily: Family = {
  ops: elementwise,
  draw: (op, kind, drawn) => {
    const calls = elementwiseCalls(op, kind === 'any' ? 'wild' : kind, drawn);
    return op === 'snake' ? fc.oneof(calls, learnedSnakeCalls(kind, drawn)) : calls;
  },
  valid: (op) =>
    call(
      op,
      { x: numbers([2, 3]) },
      { optional: { bias: numbers([3]) }, options: requiredOptions(op) },
    ),
  resultShape: () => [2, 3],
  wrongs: (op) => [...biasWrongs, ...(OUT_OF_RANGE[op] ?? [])],
};

export const rreluFamily: Family = {
  ops: ['rrelu'],
  draw: (_op, kind, drawn) => rreluCalls(kind, drawn),
  valid: (op) =>
    call(op, { x: numbers([2, 3]) }, { options: { lower: 0.25, upper: 0.5, training: true } }),
  resultShape: () => [2, 3],
  wrongs: () => [
    { ...wrongOption('lower', 0.75), names: '' },
    { ...wrongOption('upper', 0.125), names: '' },
    wrongOption('training', 1),
    wrongOption('training', 'no'),
  ],
};

export const preluFamily: Family = {
  ops: ['prelu'],
  draw: (_op, kind, drawn) => preluCalls(kind, drawn),
  valid: (op) => call(op, { x: numbers([2, 3]), weight: numbers([3]) }),
  resultShape: () => [2, 3],
  wrongs: () => [
    wrongShape('weight', [2]),
    wrongShape('weight', [3, 1]),
    wrongShape('weight', [0]),
  ],
};

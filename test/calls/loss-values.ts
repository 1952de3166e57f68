// Takes shapes as they are drawn, and gives what losses take that is not just any number, and shapes that go together.
import fc from 'fast-check';
import type { TensorSpec } from './call.ts';
import { floats, type Drawn, type Values } from './draw.ts';

/** Shapes of the inputs of a loss. */
export type Shapes = readonly (readonly number[])[];

/** Each element through a function: what it is of is shown where a call fails. */
function mapped(
  base: fc.Arbitrary<TensorSpec>,
  how: string,
  f: (value: number) => number,
): fc.Arbitrary<TensorSpec> {
  return base.map((spec) => ({
    shape: spec.shape,
    dtype: spec.dtype,
    data: spec.data.map((value) => Math.fround(f(value))),
    [fc.toStringMethod]: () => `${how} of ${fc.stringify(spec)}`,
  }));
}

/** From 0 to 1, both included, but for `smooth` ones. */
export const probabilities = (shape: readonly number[], kind: Values): fc.Arbitrary<TensorSpec> =>
  mapped(floats(shape, kind, 0.95), 'probabilities', (value) =>
    Number.isNaN(value) ? 0 : Math.min(Math.abs(value), 1),
  );
/** 1 and -1; what is special stays. */
export const signs = (shape: readonly number[], kind: Values): fc.Arbitrary<TensorSpec> =>
  mapped(floats(shape, kind, 1), 'signs', (value) => {
    const plain = Number.isFinite(value) && value !== 0;
    return plain ? Math.sign(value) : value;
  });
export const positive = (
  shape: readonly number[],
  kind: Values,
  magnitude: number,
  least = 0,
): fc.Arbitrary<TensorSpec> =>
  mapped(floats(shape, kind, magnitude), 'magnitudes', (value) => Math.max(Math.abs(value), least));
export const logProbabilities = (
  shape: readonly number[],
  kind: Values,
  magnitude: number,
): fc.Arbitrary<TensorSpec> =>
  mapped(floats(shape, kind, magnitude), 'negatives', (value) => -Math.abs(value));

export const alike =
  (count: number) =>
  (drawn: Drawn): fc.Arbitrary<Shapes> =>
    drawn.map((shape) => Array.from({ length: count }, () => shape));
/** Repeated along some dimensions, none of them dropped. */
export const ofSameRank = (drawn: Drawn): fc.Arbitrary<Shapes> =>
  drawn.chain((shape) => {
    const mask = fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length });
    return fc
      .array(fc.oneof(fc.constant<boolean[]>([]), mask), { minLength: 3, maxLength: 3 })
      .map((masks) => masks.map((ones) => shape.map((d, i) => (ones[i] === true ? 1 : d))));
  });
/** The second broadcasts to the first. */
export const ontoFirst = (drawn: Drawn): fc.Arbitrary<Shapes> =>
  drawn.chain((shape) =>
    fc
      .tuple(fc.boolean(), fc.nat(shape.length))
      .map(([plain, dropped]): Shapes => [shape, plain ? shape : shape.slice(dropped)]),
  );
/** A variance of the input's shape, of one dimension less, or with 1 in one dimension. */
export const withVariance = (drawn: Drawn): fc.Arbitrary<Shapes> =>
  drawn.chain((shape) =>
    fc.tuple(fc.nat(2), fc.nat(), fc.boolean()).map(([how, at, repeated]): Shapes => {
      const d = shape.length > 0 ? at % shape.length : 0;
      const one = shape.map((extent, i) => (i === d ? 1 : extent));
      const variance = [shape, shape.slice(0, -1), one][shape.length > 0 ? how : 0] ?? shape;
      return [shape, repeated ? one : shape, variance];
    }),
  );

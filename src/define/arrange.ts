// Checks the shapes of a loss's inputs: throws a ShapeError where PyTorch refuses shapes that would broadcast.
import { ShapeError } from '../core/errors.ts';
import { broadcastShapes, formatShape, sameShape, type Shape } from '../core/shape.ts';

/** Checks that all inputs have the shape of the first. */
export function sameShapes(
  op: string,
  shapes: readonly Shape[],
  inputs: readonly string[] = ['input', 'target'],
): readonly Shape[] {
  const [first = [], ...others] = shapes;
  others.forEach((shape, i) => {
    if (!sameShape(first, shape)) {
      throw refused(op, inputs[i + 1] ?? '', `shape ${formatShape(first)}`, shape);
    }
  });
  return shapes;
}

/** Checks that the target broadcasts to the input's shape. */
export function toInput(op: string, shapes: readonly Shape[]): readonly Shape[] {
  const [input = [], target = []] = shapes;
  if (!sameShape(broadcastShapes(op, [input, target], 'target'), input)) {
    throw refused(op, 'target', `a shape that broadcasts to ${formatShape(input)}`, target);
  }
  return shapes;
}

/** Checks that all inputs have the same number of dimensions. */
export function sameRank(op: string, shapes: readonly Shape[]): readonly Shape[] {
  const rank = shapes[0]?.length ?? 0;
  const [, second = [], target = []] = shapes;
  const expected = `${rank} dimensions, as input1`;
  if (second.length !== rank) throw refused(op, 'input2', expected, second);
  if (target.length !== rank) throw refused(op, 'target', expected, target);
  return shapes;
}

/**
 * Checks a variance: it has the input's shape, or that shape without its last dimension, or with one dimension of
 * length 1.
 */
export function withVariance(op: string, shapes: readonly Shape[]): readonly Shape[] {
  const [input = [], target = [], variance = []] = shapes;
  if (sameShape(variance, input)) return shapes;
  if (input.length > 0 && sameShape(variance, input.slice(0, -1))) {
    return [input, target, [...variance, 1]];
  }
  const apart = variance.filter((d, i) => d !== input[i]);
  if (variance.length === input.length && apart.length === 1 && apart[0] === 1) return shapes;
  throw refused(
    op,
    'variance',
    `shape ${formatShape(input)}, that without its last dimension, or with 1 for one dimension`,
    variance,
  );
}

export function refused(op: string, argument: string, expected: string, shape: Shape): ShapeError {
  return new ShapeError({
    op,
    argument,
    expected,
    received: `shape ${formatShape(shape)}`,
  });
}

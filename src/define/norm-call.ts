// What a call of a declared norm is for its kernel: for its function, and for what is planned of it without one.
import { ShapeError } from '../core/errors.ts';
import { formatShape, sameShape, sizeOf, type Shape } from '../core/shape.ts';
import { checkShape } from '../core/validate.ts';
import { KEPT, type NormArgs, type NormOp } from '../kernels/norm/args.ts';
import { source } from '../shader/link.ts';
import type { NormDeclaration } from './norm.ts';

export function normOp<O extends string>(declaration: NormDeclaration<O>): NormOp {
  const { name, wgsl, includes, operands, degree, forward, backward } = declaration;
  return {
    name,
    source: source(`${name}.wgsl`, wgsl, includes),
    operands: (Object.keys(operands) as O[]).map((operand) => ({
      name: operand,
      ...operands[operand],
    })),
    degree,
    forward,
    backward,
  };
}

export interface NormCall {
  /** The shape of what is kept of each row. */
  readonly statistics: Shape;
  /** Those of the inputs, x and the operands that are given, that the backward direction reads. */
  readonly saved: readonly number[];
  /** `keeps`: whether the statistics are written. */
  readonly forward: (keeps: boolean) => NormArgs;
  /** Which gradients are wanted, in the order of the inputs. */
  readonly backward: (needs: readonly boolean[]) => NormArgs;
}

/** `given`: the names of the operands that there are, in their order. It holds no tensors, as a graph may hold it. */
export function normCall(
  op: NormOp,
  shape: Shape,
  normalizedShape: Shape,
  eps: number,
  given: readonly string[],
): NormCall {
  const n = sizeOf(normalizedShape);
  const outer = sizeOf(shape.slice(0, shape.length - normalizedShape.length));
  const common = { op, layout: { outer, n, inner: 1, span: n }, eps };
  const { operands } = op;
  const has = operands.map(({ name }) => given.includes(name));
  // Gradients are in the order of the inputs: x, and the operands that there are.
  const places = given.map((operand) => operands.findIndex(({ name }) => name === operand));
  return {
    statistics: [outer, KEPT],
    saved: [0, ...places.flatMap((place, i) => (operands[place]?.saved ? [i + 1] : []))],
    forward: (keeps) => ({ ...common, direction: 'forward', has, keeps }),
    backward: ([x = false, ...needs]) => ({
      ...common,
      direction: 'backward',
      has: has.map((is, k) => is && operands[k]?.saved === true),
      wants: { x, operands: operands.map((_, k) => needs[places.indexOf(k)] ?? false) },
    }),
  };
}

/** The last dimensions of x, at least one. */
export function checkNormalizedShape(
  op: string,
  x: { readonly shape: Shape },
  shape: unknown,
): asserts shape is Shape {
  const argument = 'normalizedShape';
  checkShape(op, argument, shape);
  const wanted = shape as Shape;
  const own = x.shape.slice(Math.max(0, x.shape.length - wanted.length));
  if (wanted.length > 0 && sameShape(own, wanted)) return;
  throw new ShapeError({
    op,
    argument,
    expected: `the last dimensions of x, of shape ${formatShape(x.shape)}, at least one`,
    received: formatShape(wanted),
  });
}

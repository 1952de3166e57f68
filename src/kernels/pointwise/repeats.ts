// Operands of a pointwise op that repeat: those of another shape, which are broadcast.
import type { View } from '../../core/kernel.ts';
import { broadcastStrides, collapse, type Layout, type Shape } from '../../core/shape.ts';
import { NO_CURSOR, type Access, type TensorSpec } from './bindings.ts';

/** How an input is read and, if periodic, its period in packs. */
export interface Operand {
  readonly access: Access;
  readonly period: number;
}

/** What plans need of operands that repeat. */
export interface Repeats {
  readonly operandOf: (view: View, shape: Shape, packed: boolean) => Operand;
  /** The shape of the result and each operand's strides in it, merged where all allow. */
  readonly layoutOf: (shape: Shape, inputs: readonly View[]) => Layout;
  /** Declares `Cursor`. */
  readonly cursor: (inputs: readonly TensorSpec[]) => string;
}

export const repeats: Repeats = {
  operandOf,
  layoutOf: (shape, inputs) =>
    collapse(
      shape,
      inputs.map((view) => broadcastStrides(view.shape, shape)),
    ),
  cursor: cursorSource,
};

function operandOf(view: View, shape: Shape, packed: boolean): Operand {
  if (view.size === 1) return { access: 'scalar', period: 0 };
  const own = collapse(shape, [broadcastStrides(view.shape, shape)]);
  const [outer, inner] = own.strides[0] ?? [];
  const period = (own.shape[1] ?? 0) / 4;
  if (
    own.shape.length === 2 &&
    outer === 0 &&
    inner === 1 &&
    period % 1 === 0 &&
    view.padded &&
    packed
  ) {
    return { access: 'periodic', period };
  }
  return { access: 'broadcast', period: 0 };
}

/**
 * The position of an invocation in each periodic operand. It is updated from pack to pack, because a remainder costs
 * an emulated GPU as much as a whole activation.
 */
function cursorSource(inputs: readonly TensorSpec[]): string {
  const periodic = [...inputs.keys()].filter((i) => inputs[i]?.access === 'periodic');
  if (periodic.length === 0) return NO_CURSOR;
  const place = (i: number): string => `u.strides[${2 * i}]`;
  const starts = periodic.map(
    (i) => `(u.first / 4u + pack) % ${place(i)}.x, ${place(i)}.x, ${place(i)}.y`,
  );
  const fields = periodic.map((i) => ['at', 'period', 'step'].map((name) => `${name}${i}: u32`));
  return [
    `struct Cursor { ${fields.flat().join(', ')} }`,
    'fn nl_cursor(pack: u32) -> Cursor {',
    `  return Cursor(${starts.join(', ')});`,
    '}',
    'fn nl_next(c: Cursor) -> Cursor {',
    '  var next = c;',
    ...periodic.flatMap((i) => {
      const [at, period] = [`next.at${i}`, `c.period${i}`];
      return [`  ${at} += c.step${i};`, `  ${at} -= select(0u, ${period}, ${at} >= ${period});`];
    }),
    '  return next;',
    '}',
  ].join('\n');
}

// Shapes and dimension arguments: broadcasting, strides, and the collapsed layouts that kernels work on.
import { IndexOutOfRangeError, ShapeError } from './errors.ts';

/** The sizes of the dimensions; `[]` is a scalar. */
export type Shape = readonly number[];

/** Number of elements; 1 for a scalar (`[]`). */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (let i = 0; i < shape.length; i++) size *= shape[i] ?? 1;
  return size;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = step;
    step *= shape[d] ?? 1;
  }
  return strides;
}

/** A dimension counted from the front; a scalar has the one dimension -1 or 0, as in PyTorch. */
export function normalizeDim(op: string, dim: number, rank: number, argument = 'dim'): number {
  const n = Math.max(rank, 1);
  if (!Number.isInteger(dim) || dim < -n || dim >= n) {
    throw new IndexOutOfRangeError({
      op,
      argument,
      expected: `an integer from ${-n} to ${n - 1}`,
      received: String(dim),
    });
  }
  return dim < 0 ? dim + n : dim;
}

/** The common shape of tensors under PyTorch's broadcasting; throws `ShapeError` where there is none. */
export function broadcastShapes(
  op: string,
  shapes: readonly Shape[],
  argument = 'inputs',
): number[] {
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  const result = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    for (let i = 1; i <= shape.length; i++) {
      const d = shape[shape.length - i] ?? 1;
      const r = result[rank - i] ?? 1;
      if (d !== 1 && r !== 1 && d !== r) {
        throw new ShapeError({
          op,
          argument,
          expected: 'shapes that broadcast (equal, or 1, from the last dimension backwards)',
          received: shapes.map(formatShape).join(' and '),
        });
      }
      if (r === 1) result[rank - i] = d;
    }
  }
  return result;
}

/** The strides with which a tensor of `shape` is read as one of shape `target`: 0 along the dimensions in which it is repeated. */
export function broadcastStrides(shape: Shape, target: Shape): number[] {
  const strides = stridesOf(shape);
  const lead = target.length - shape.length;
  return target.map((d, i) =>
    i < lead || (shape[i - lead] === 1 && d !== 1) ? 0 : (strides[i - lead] ?? 0),
  );
}

/** A shape in which neighbouring dimensions are merged, if they are contiguous in all operands. It takes fewer divisions per element. */
export interface Layout {
  readonly shape: number[];
  /** One list of strides per operand. */
  readonly strides: number[][];
}

export function collapse(target: Shape, operands: readonly (readonly number[])[]): Layout {
  const shape: number[] = [];
  const strides: number[][] = operands.map(() => []);
  for (let d = 0; d < target.length; d++) {
    const extent = target[d] ?? 1;
    if (extent === 1) continue;
    const last = shape.length - 1;
    const merges =
      last >= 0 &&
      operands.every((operand, k) => strides[k]?.[last] === (operand[d] ?? 0) * extent);
    if (merges) {
      shape[last] = (shape[last] ?? 1) * extent;
      operands.forEach((operand, k) => {
        const list = strides[k];
        if (list) list[last] = operand[d] ?? 0;
      });
    } else {
      shape.push(extent);
      operands.forEach((operand, k) => strides[k]?.push(operand[d] ?? 0));
    }
  }
  return { shape, strides };
}

/** A tensor as `[outer, n, inner]`, where n is one dimension, and the others are merged before and after it. */
export interface RowLayout {
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
}

export function rowLayout(shape: Shape, dim: number): RowLayout {
  return {
    outer: sizeOf(shape.slice(0, dim)),
    n: shape[dim] ?? 1,
    inner: sizeOf(shape.slice(dim + 1)),
  };
}

// What is read of a tensor: typed arrays, and numbers nested as deep as it has dimensions.
import type { DType } from './dtype.ts';
import type { Shape } from './shape.ts';

/** Numbers nested as deep as the tensor has dimensions. */
export type NestedArray = number | readonly NestedArray[];

/** Nested arrays of a rank: `number[][]` of rank 2. */
export type ArrayOfRank<R extends number> = R extends 0
  ? number
  : R extends 1
    ? number[]
    : R extends 2
      ? number[][]
      : R extends 3
        ? number[][][]
        : R extends 4
          ? number[][][][]
          : NestedArray;

/** The typed array of a dtype's elements; those of float16 are widened. */
export type DataOf<D extends DType> = D extends 'int32' ? Int32Array : Float32Array;

/** Elements in row-major order as nested arrays. */
export function nest(values: ArrayLike<number>, shape: Shape): NestedArray {
  let offset = 0;
  const build = (depth: number): NestedArray => {
    const extent = shape[depth];
    if (extent === undefined) return values[offset++] ?? NaN;
    return Array.from({ length: extent }, () => build(depth + 1));
  };
  return build(0);
}

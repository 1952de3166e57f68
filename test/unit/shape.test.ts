import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IndexOutOfRangeError, ShapeError } from '../../src/core/errors.ts';
import {
  broadcastShapes,
  broadcastStrides,
  collapse,
  formatShape,
  normalizeDim,
  rowLayout,
  sameShape,
  sizeOf,
  stridesOf,
} from '../../src/core/shape.ts';

const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 5 });

/** The offset of each element of `shape`, in row-major order, by its strides. */
function offsets(shape: readonly number[], strides: readonly number[]): number[] {
  return shape.reduce<number[]>(
    (list, extent, d) =>
      list.flatMap((base) =>
        Array.from({ length: extent }, (_, i) => base + i * (strides[d] ?? NaN)),
      ),
    [0],
  );
}

describe('shape helpers', () => {
  it('count elements', () => {
    expect(sizeOf([])).toBe(1);
    expect(sizeOf([2, 3, 4])).toBe(24);
    expect(sizeOf([2, 0, 4])).toBe(0);
  });

  it('compare and print', () => {
    expect(sameShape([2, 3], [2, 3])).toBe(true);
    expect(sameShape([2, 3], [2, 3, 1])).toBe(false);
    expect(sameShape([2, 3], [3, 2])).toBe(false);
    expect(sameShape([], [])).toBe(true);
    expect(formatShape([2, 3])).toBe('[2, 3]');
  });

  it('have row-major strides', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const expected = Array.from({ length: sizeOf(shape) }, (_, i) => i);
        expect(offsets(shape, stridesOf(shape))).toEqual(expected);
      }),
    );
  });

  it('count dimensions from either end, a scalar having one', () => {
    expect([-3, -1, 0, 2].map((dim) => normalizeDim('op', dim, 3))).toEqual([0, 2, 0, 2]);
    expect([0, -1].map((dim) => normalizeDim('op', dim, 0))).toEqual([0, 0]);
    for (const [dim, rank] of [
      [3, 3],
      [-4, 3],
      [1, 0],
      [-2, 0],
      [0.5, 3],
      [NaN, 3],
    ] as const) {
      expect(() => normalizeDim('softmax', dim, rank)).toThrow(IndexOutOfRangeError);
    }
    expect(() => normalizeDim('softmax', 5, 2)).toThrow(/softmax: dim: .*-2 to 1.*5/);
  });

  it('broadcast as PyTorch does', () => {
    expect(broadcastShapes('op', [[4, 3], [3]])).toEqual([4, 3]);
    expect(broadcastShapes('op', [[4, 1], [1, 5], []])).toEqual([4, 5]);
    expect(broadcastShapes('op', [[2, 0], [1]])).toEqual([2, 0]);
    expect(broadcastShapes('op', [[0, 1], [3]])).toEqual([0, 3]);
    expect(broadcastShapes('op', [])).toEqual([]);
    for (const pair of [
      [[2], [3]],
      [[0], [2]],
      [
        [2, 3],
        [3, 2],
      ],
    ]) {
      expect(() => broadcastShapes('add', pair, 'b')).toThrow(ShapeError);
    }
  });

  it('repeat elements through strides of 0', () => {
    expect(offsets([2, 3], broadcastStrides([3], [2, 3]))).toEqual([0, 1, 2, 0, 1, 2]);
    expect(offsets([2, 3], broadcastStrides([2, 1], [2, 3]))).toEqual([0, 0, 0, 1, 1, 1]);
    expect(offsets([2, 2], broadcastStrides([], [2, 2]))).toEqual([0, 0, 0, 0]);
  });

  it('collapse without moving an element', () => {
    const extents = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 6 });
    const drops = fc.array(fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(extents, drops, (target, masks) => {
        const operands = masks.map((mask) =>
          broadcastStrides(
            target.map((d, i) => (mask[i] === true ? 1 : d)),
            target,
          ),
        );
        const merged = collapse(target, operands);
        expect(sizeOf(merged.shape)).toBe(sizeOf(target));
        expect(merged.shape.length).toBeLessThanOrEqual(target.length);
        operands.forEach((strides, k) => {
          expect(offsets(merged.shape, merged.strides[k] ?? [])).toEqual(offsets(target, strides));
        });
      }),
    );
  });

  it('collapse what all operands walk through alike to one dimension', () => {
    const plain = stridesOf([2, 3, 4]);
    expect(collapse([2, 3, 4], [plain, plain])).toEqual({ shape: [24], strides: [[1], [1]] });
    expect(collapse([2, 3, 4], [plain, broadcastStrides([4], [2, 3, 4])]).shape).toEqual([6, 4]);
    expect(collapse([1, 1], [[1, 1]])).toEqual({ shape: [], strides: [[]] });
  });

  it('split a shape round a dimension', () => {
    expect(rowLayout([2, 3, 4, 5], 1)).toEqual({ outer: 2, n: 3, inner: 20 });
    expect(rowLayout([7], 0)).toEqual({ outer: 1, n: 7, inner: 1 });
    expect(rowLayout([], 0)).toEqual({ outer: 1, n: 1, inner: 1 });
  });
});

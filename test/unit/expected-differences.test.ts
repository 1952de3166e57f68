// How far a hostile call's result may be off, of the rows where float32 does not tell, and of those alone.
import { describe, expect, it } from 'vitest';
import type { Call, TensorSpec } from '../calls.ts';
import { kinkBound } from '../gpu/kinks.ts';
import { logitBound } from '../gpu/logit-errors.ts';

const floats = (shape: readonly number[], data: readonly number[]): TensorSpec => ({
  shape,
  dtype: 'float',
  data,
});

function callOf(
  op: string,
  positional: Call['positional'],
  options: Call['options'] = { reduction: 'none' },
): Call {
  return { op, positional, optional: {}, options, differentiable: [], scale: 0 };
}

describe('kinks', () => {
  it('of a cosine: rows labelled -1 whose cosine is the margin, and these alone', () => {
    const call = callOf('cosineEmbeddingLoss', {
      input1: floats([4, 2], [1, 0, 1, 0, 1, 0, 1, 0]),
      input2: floats([4, 2], [1e-8, 1, 1e-8, 1, 1, 1, -1e-4, 1]),
      target: floats([4], [-1, 1, -1, -1]),
    });
    const bounds = [0, 1, 2, 3].map((row) => kinkBound(call, 'float32', 'input1', 2 * row));
    expect(bounds[0]).toBeCloseTo(4, 6);
    expect(bounds.slice(1)).toEqual([0, 0, 0]);
  });

  it('of triplets: a loss that is 0 but for rounding, and distances that are alike', () => {
    const rows = [
      // anchor, positive, negative: the distances' difference is the margin, far from it, within float32 of it
      [0, 1e9, 1e9 + 1, 4],
      [0, 1, 3, 0],
      [0, 1, 1e30, 0],
      [3e38, -3e38, 3e38, 4],
    ];
    const column = (k: number): TensorSpec =>
      floats(
        [rows.length, 1],
        rows.map((row) => row[k] ?? NaN),
      );
    const call = callOf('tripletMarginLoss', {
      anchor: column(0),
      positive: column(1),
      negative: column(2),
    });
    rows.forEach(([, , , bound], row) => {
      expect(kinkBound(call, 'float32', 'anchor', row)).toBe(bound);
    });
    const mean = { ...call, options: {} };
    expect(kinkBound(mean, 'float32', 'negative', 0)).toBe(1);
    // equal distances count where either may be the smaller
    const swap = callOf(
      'tripletMarginLoss',
      { anchor: floats([1, 1], [0]), positive: floats([1, 1], [4]), negative: floats([1, 1], [2]) },
      { swap: true, eps: 0 },
    );
    expect(kinkBound(swap, 'float32', 'anchor', 0)).toBe(4);
  });

  it('a row that is repeated has those of every row', () => {
    const call = callOf('tripletMarginLoss', {
      anchor: floats([1, 1], [0]),
      positive: floats([3, 1], [1, 1, 1]),
      negative: floats([3, 1], [2, 9, 2]),
    });
    expect(kinkBound(call, 'float32', 'anchor', 0)).toBe(8);
    expect([0, 1, 2].map((row) => kinkBound(call, 'float32', 'positive', row))).toEqual([4, 0, 4]);
  });
});

it('logits are off by the rounding of their products', () => {
  const call = callOf('linearCrossEntropy', {
    input: floats([2, 2], [1e6, 1e6, 1, 1]),
    linearWeight: floats([2, 2], [1, -1, 1, -0.5]),
    target: floats([2, 2], [1, 0, 1, 0]),
  });
  const ulp = 2 ** -24;
  // the second class has a sum of 0.5e6, and the only probability
  const [cancels, peak, small] = [0, 1, 2].map((i) => logitBound(call, 'float32', 'target', i));
  expect(cancels).toBeCloseTo(2 * 4 * ulp * (2e6 + 1.5e6), 6);
  expect(peak).toBeCloseTo(2 * 4 * ulp * (1.5e6 + 1.5e6), 6);
  expect(small).toBeLessThan(1e-5);
  // a probability that is 0 stays 0: what is left is the rounding of the gradient's terms
  expect(logitBound(call, 'float32', 'linearWeight', 0)).toBeLessThan(11 * ulp * 2e6);
});

it('a probability that is 0 may be any where its logit may be the largest', () => {
  const call = callOf('linearCrossEntropy', {
    input: floats([1, 2], [1e30, 1e30]),
    linearWeight: floats([2, 2], [1, -1, 1, -0.9999999]),
    target: floats([1, 2], [1, 0]),
  });
  expect(logitBound(call, 'float32', 'linearWeight', 0)).toBeCloseTo(2e30, -26);
});

it('of a logit whose terms leave float32 nothing is known, of other rows as much as before', () => {
  const call = callOf('linearCrossEntropy', {
    input: floats([2, 2], [3e38, 3e38, 1, 1]),
    linearWeight: floats([2, 2], [1, -0.5, 0.5, 0.25]),
    target: floats([2, 2], [1, 0, 1, 0]),
  });
  expect(logitBound(call, 'float32', 'target', 0)).toBeGreaterThan(3.4e38);
  // what a probability of 0 to 1 makes of a gradient
  expect(logitBound(call, 'float32', 'input', 0)).toBeCloseTo(2 * (1 + 0.5), 4);
  expect(logitBound(call, 'float32', 'target', 2)).toBeLessThan(1e-5);
});

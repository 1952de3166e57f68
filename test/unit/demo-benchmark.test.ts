// What the benchmark view says of timings: shares of a copy's bandwidth, and the sentences above its picture.
import { describe, expect, it } from 'vitest';
import type { Timing } from '../../demo/views/benchmark/report.ts';
import {
  extremesOf,
  headlineOf,
  percentOf,
  sharedOf,
  shareOf,
} from '../../demo/views/benchmark/shares.ts';

// 1,000 floats copied in 2 ms: 8,000 bytes, 4,000 a millisecond
const about = { device: 'a GPU', size: 1000, copy: 2 };
const timing = (op: string, bytes: number, gpu?: number, gradient = false): Timing => ({
  op,
  gradient,
  shape: '1000',
  bytes,
  ...(gpu === undefined ? {} : { gpu }),
});

describe('the share of a copy’s bandwidth', () => {
  it('is bytes over time, over those of the copy', () => {
    expect(shareOf(timing('relu', 8000, 2), about)).toBe(1);
    expect(shareOf(timing('relu', 8000, 4), about)).toBe(0.5);
    expect(shareOf(timing('relu', 20_000, 4, true), about)).toBe(1.25);
  });

  it('is not known before both are measured', () => {
    expect(shareOf(timing('relu', 8000), about)).toBeUndefined();
    expect(shareOf(timing('relu', 8000, 2), { ...about, copy: undefined })).toBeUndefined();
    expect(sharedOf([timing('relu', 8000), timing('tanh', 8000, 2)], about)).toHaveLength(1);
  });

  it.each([
    [0.0123, '1.2 %'],
    [0.71, '71 %'],
    [1.254, '125 %'],
  ])('%s is %s', (share, words) => {
    expect(percentOf(share)).toBe(words);
  });
});

describe('the headline', () => {
  const [slow, middle, fast] = [
    timing('softmax', 8000, 8),
    timing('gelu', 8000, 4),
    timing('relu', 20_000, 5, true),
  ];

  it('says what half of the calls reach', () => {
    expect(headlineOf([fast, slow, middle], about)).toBe(
      'Half of the 3 calls reach at least 50 % of a copy’s bandwidth',
    );
    expect(headlineOf([slow, fast], about)).toContain('Half of the 2 calls reach at least 100 %');
    expect(extremesOf([middle, slow, fast], about)).toBe(
      'Best: relu + gradient (100 %). Lowest: softmax (25 %).',
    );
  });

  it('names a call that is alone', () => {
    expect(headlineOf([middle, timing('tanh', 8000)], about)).toBe(
      'gelu reaches 50 % of a copy’s bandwidth',
    );
    expect(extremesOf([middle], about)).toBe('');
  });

  it('compares nothing where there is no GPU, or nothing measured', () => {
    const onCpu = { ...timing('relu', 0), cpu: 3 };
    expect(headlineOf([onCpu], { ...about, copy: undefined })).toContain('Times on the CPU');
    expect(headlineOf([timing('relu', 0)], about)).toBe('No result yet');
  });
});

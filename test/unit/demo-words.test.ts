import { describe, expect, it } from 'vitest';
import {
  formatDuration,
  formatLoss,
  formatPercent,
  formatRate,
  messageOf,
} from '../../demo/training/format.ts';
import { Pace } from '../../demo/training/pace.ts';
import { generator, permutation } from '../../demo/training/random.ts';

describe('time left', () => {
  it('is unknown before the first step', () => {
    const pace = new Pace();
    expect(pace.secondsFor(100)).toBeUndefined();
    pace.add(0, 1);
    expect(pace.secondsFor(100)).toBeUndefined();
    expect(pace.stepsPerSecond).toBeUndefined();
  });

  it('is exact at a steady rate', () => {
    const pace = new Pace();
    for (let i = 0; i < 20; i++) pace.add(5, 0.25);
    expect(pace.stepsPerSecond).toBeCloseTo(20, 9);
    expect(pace.secondsFor(300)).toBeCloseTo(15, 9);
  });

  it('forgets a slow start within seconds', () => {
    const pace = new Pace();
    pace.add(5, 3);
    for (let i = 0; i < 100; i++) pace.add(5, 0.1);
    expect(pace.stepsPerSecond).toBeGreaterThan(45);
    expect(pace.stepsPerSecond).toBeLessThan(50);
  });

  it('counts work beside the steps as delay', () => {
    const pace = new Pace();
    pace.add(10, 1);
    const before = pace.secondsFor(10) ?? NaN;
    pace.add(0, 1);
    expect(pace.secondsFor(10)).toBeGreaterThan(before);
  });

  it('does not count a pause: nobody adds it', () => {
    const pace = new Pace();
    pace.add(10, 1);
    expect(pace.secondsFor(10)).toBe(1);
  });
});

describe('words for numbers', () => {
  it.each([
    [0, '0 s'],
    [0.2, '1 s'],
    [59, '59 s'],
    [59.5, '1 min 00 s'],
    [185, '3 min 05 s'],
    [3600, '1 h 00 min'],
    [7384, '2 h 03 min'],
  ])('%d seconds are %s', (seconds, words) => {
    expect(formatDuration(seconds)).toBe(words);
  });

  it('rates, shares, losses, errors', () => {
    expect([0.42, 7.31, 128.4].map(formatRate)).toEqual(['0.42', '7.3', '128']);
    expect(formatPercent(0.93251)).toBe('93.3 %');
    expect([2.3026, 0.0012, 0].map(formatLoss)).toEqual(['2.303', '1.20e-3', '0.000']);
    expect([new Error('no'), 'why', new Error('')].map(messageOf)).toEqual([
      'no',
      'why',
      'unknown error',
    ]);
  });
});

describe('random order', () => {
  it('holds every index once, and is decided by the seed', () => {
    const draw = (seed: number) => [...permutation(1000, generator(seed))];
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    expect(draw(3).sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  });

  it('is fair: every index is first about as often', () => {
    const random = generator(7);
    const counts = new Array<number>(5).fill(0);
    for (let i = 0; i < 5000; i++) {
      const first = permutation(5, random)[0] ?? 0;
      counts[first] = (counts[first] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(120);
  });
});

import { describe, expect, it } from 'vitest';
import type { Report, Score } from '../../demo/training/trainer.ts';
import { History, pick } from '../../demo/views/train/history.ts';

const score = (loss: number): Score => ({ loss, accuracy: NaN, error: NaN });
const steps = (step: number, loss = 1): Report => ({
  kind: 'steps',
  step,
  since: 5,
  epoch: 1,
  score: score(loss),
  seconds: 0.1,
});
const epoch = (step: number, number: number): Report => ({
  kind: 'epoch',
  step,
  epoch: number,
  training: undefined,
  heldOut: score(step),
  verdicts: undefined,
  seconds: 0.1,
});

describe('the history of runs', () => {
  it('keeps a long run in a bounded number of points, from its start to its end', () => {
    const history = new History(1);
    const [run] = history.runs;
    for (let step = 5; step <= 100_000; step += 5) {
      history.report(0, steps(step));
      history.health(0, [{ gradientNorm: step, dead: 0, saturated: 0 }], step);
    }
    for (const values of [run?.training, run?.gradients]) {
      const at = [...(values?.keys() ?? [])];
      expect(at.length).toBeGreaterThan(250);
      expect(at.length).toBeLessThanOrEqual(800);
      expect([at[0], at.at(-1)]).toEqual([5, 100_000]);
      expect(at).toEqual([...at].sort((a, b) => a - b));
      // evenly: no gap is more than a few times the mean one
      const gaps = at.slice(1).map((step, i) => step - (at[i] ?? 0));
      expect(Math.max(...gaps)).toBeLessThan((4 * 100_000) / at.length);
    }
  });

  it('smooths training, not tests', () => {
    const history = new History(1);
    history.report(0, steps(5, 7));
    history.report(0, steps(10, 1));
    history.report(0, epoch(10, 1));
    const [run] = history.runs;
    expect([...pick(run?.training ?? new Map(), 'loss').values()]).toEqual([7, 6]);
    expect(run?.trainingLoss).toBe(1);
    expect(run?.test?.heldOut.loss).toBe(10);
  });

  it('forgets what came after the step that runs go on from', () => {
    const history = new History(2);
    for (const index of [0, 1]) {
      for (const step of [5, 10, 15, 20]) history.report(index, steps(step));
      history.report(index, epoch(10, 1));
      history.report(index, epoch(20, 2));
    }
    history.rewind(15);
    for (const run of history.runs) {
      expect([...run.training.keys()]).toEqual([5, 10, 15]);
      expect([...run.heldOut.keys()]).toEqual([10]);
      expect(run.epochs.map(({ epoch: number }) => number)).toEqual([1]);
    }
    expect(history.step).toBe(15);
  });

  it('counts the time of all runs for the steps of one', () => {
    const history = new History(2);
    history.report(0, steps(5));
    history.report(1, steps(5));
    expect(history.pace.secondsFor(50)).toBeCloseTo(2, 1);
    expect(history.runs[1]?.speed.stepsPerSecond).toBeCloseTo(50, 6);
  });

  it('says how far a test is, until it is done', () => {
    const history = new History(1);
    history.report(0, { kind: 'testing', step: 10, epoch: 1, share: 0.4 });
    expect(history.testing).toBe(0.4);
    history.report(0, epoch(10, 1));
    expect(history.testing).toBeUndefined();
  });
});

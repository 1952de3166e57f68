import { describe, expect, it } from 'vitest';
import type { Config } from '../../demo/training/config.ts';
import { TASKS } from '../../demo/training/config.ts';
import type { Score } from '../../demo/training/score.ts';
import { EarlierRuns, namesOfEarlier } from '../../demo/views/train/earlier.ts';
import { History } from '../../demo/views/train/history.ts';

const { settings } = TASKS.spirals;
const score = (loss: number): Score => ({ loss, accuracy: 0.5, error: NaN });
const configOf = (...activations: string[]): Config => ({
  task: 'spirals',
  runs: activations.map((activation) => ({ ...settings, activation })),
});

function historyOf(count: number, points: number): History {
  const history = new History(count);
  for (let index = 0; index < count; index++) {
    for (let i = 1; i <= points; i++) {
      const [since, seconds] = [5, 0.1];
      history.report(index, {
        kind: 'steps',
        step: 5 * i,
        since,
        epoch: 1,
        score: score(index),
        seconds,
      });
    }
  }
  return history;
}

describe('earlier runs', () => {
  it('are those that have learned, each with what sets it apart', () => {
    const earlier = new EarlierRuns();
    earlier.add(configOf('relu'), historyOf(1, 0));
    expect(earlier.of('spirals')).toEqual([]);
    const history = historyOf(2, 3);
    earlier.add(configOf('relu', 'gelu'), history);
    const found = earlier.of('spirals');
    expect(namesOfEarlier(found, configOf('tanh').runs)).toEqual(['relu', 'gelu']);
    expect(found[1]?.training).toBe(history.runs[1]?.training);
    expect(earlier.of('digits')).toEqual([]);
    earlier.clear('digits');
    expect(earlier.of('spirals')).toHaveLength(2);
    earlier.clear('spirals');
    expect(earlier.of('spirals')).toEqual([]);
  });

  it('hold none that diverged, and only the latest', () => {
    const earlier = new EarlierRuns();
    const diverged = historyOf(1, 3);
    for (const run of diverged.runs) run.diverged = 15;
    earlier.add(configOf('relu'), diverged);
    expect(earlier.of('spirals')).toEqual([]);
    const names = ['relu', 'gelu', 'silu', 'tanh', 'elu', 'selu', 'mish'];
    for (const name of names) earlier.add(configOf(name), historyOf(1, 2));
    expect(earlier.of('spirals').map((run) => run.settings.activation)).toEqual(names.slice(1));
  });

  it('are let go of where they are on the page again', () => {
    const earlier = new EarlierRuns();
    const [first, second] = [historyOf(1, 3), historyOf(1, 3)];
    earlier.add(configOf('relu'), first);
    earlier.add(configOf('gelu'), second);
    earlier.remove(History.from(first.state));
    expect(earlier.of('spirals').map((run) => run.settings.activation)).toEqual(['gelu']);
  });
});

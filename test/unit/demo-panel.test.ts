import { describe, expect, it } from 'vitest';
import type { Trainer } from '../../demo/training/trainer.ts';
import { askShown } from '../../demo/views/train/panels/panel.ts';

describe('asking networks for a picture', () => {
  const failing = () => Promise.reject(new Error('disposed'));

  it('fails where one that is shown cannot answer', async () => {
    const shown: readonly Trainer[] = [];
    await expect(askShown(() => shown, failing)).rejects.toThrow('disposed');
  });

  it('is no fault where others are shown by then', async () => {
    let shown: readonly Trainer[] = [];
    const asking = askShown(
      () => shown,
      () => {
        shown = [];
        return failing();
      },
    );
    await expect(asking).resolves.toBeUndefined();
  });

  it('asks those that are shown', async () => {
    const shown: readonly Trainer[] = [];
    const asked: (readonly Trainer[])[] = [];
    await askShown(
      () => shown,
      (trainers) => {
        asked.push(trainers);
        return Promise.resolve();
      },
    );
    expect(asked[0]).toBe(shown);
  });
});

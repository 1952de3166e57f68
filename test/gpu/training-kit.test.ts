// Optimizers against PyTorch's steps, initial values and clipped gradients, by both plans.
import { afterAll, beforeAll, describe, it } from 'vitest';
import { manualSeed, type Device } from '../../src/index.ts';
import { borrowedClipCheck, clipChecks } from '../clip-checks.ts';
import { initChecks } from '../init-checks.ts';
import { openGpu } from '../open.ts';
import { optimizerGoldenChecks } from '../training-golden.ts';

const checks = await optimizerGoldenChecks();

describe.each(['software', 'hardware'] as const)('by the plan for %s', (tuning) => {
  let device: Device;
  beforeAll(async () => {
    device = await openGpu({ tuning });
  });
  afterAll(() => {
    device.dispose();
  });

  describe('optimizers step as PyTorch does', () => {
    for (const { name, run } of checks) it(name, () => run(device));
  });

  describe('nn.utils', () => {
    for (const { name, run } of [...clipChecks, borrowedClipCheck]) it(name, () => run(device));
  });

  if (tuning === 'hardware') return;
  describe('nn.init', () => {
    for (const { name, run } of initChecks) {
      it(name, () => {
        manualSeed(1);
        return run(device);
      });
    }
  });
});

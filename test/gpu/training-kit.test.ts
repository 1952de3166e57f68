// Optimizers against PyTorch's steps, and initial values, on this adapter.
import { afterAll, beforeAll, describe, it } from 'vitest';
import { manualSeed, type Device } from '../../src/index.ts';
import { initChecks } from '../init-checks.ts';
import { openGpu } from '../open.ts';
import { optimizerGoldenChecks } from '../training-golden.ts';

let device: Device;
beforeAll(async () => {
  device = await openGpu();
});
afterAll(() => {
  device.dispose();
});

const checks = await optimizerGoldenChecks();
describe('optimizers step as PyTorch does', () => {
  for (const { name, run } of checks) it(name, () => run(device));
});

describe('nn.init', () => {
  for (const { name, run } of initChecks) {
    it(name, () => {
      manualSeed(1);
      return run(device);
    });
  }
});

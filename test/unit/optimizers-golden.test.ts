// Optimizers against PyTorch's steps on the CPU.
import { beforeAll, describe, it } from 'vitest';
import { init, type Device } from '../../src/index.ts';
import { optimizerGoldenChecks } from '../training-golden.ts';

let device: Device;
beforeAll(async () => {
  device = await init({ backend: 'cpu' });
});

const checks = await optimizerGoldenChecks();
describe('optimizers step as PyTorch does', () => {
  for (const { name, run } of checks) it(name, () => run(device));
});

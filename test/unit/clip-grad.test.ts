// Gradients clipped on the CPU.
import { beforeAll, describe, it } from 'vitest';
import { init, type Device } from '../../src/index.ts';
import { clipChecks } from '../clip-checks.ts';

let device: Device;
beforeAll(async () => {
  device = await init({ backend: 'cpu' });
});

describe('nn.utils', () => {
  for (const { name, run } of clipChecks) it(name, () => run(device));
});

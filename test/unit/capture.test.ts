// Captured steps on the CPU, where the function just runs.
import { beforeAll, describe, it } from 'vitest';
import { init, type Device } from '../../src/index.ts';
import { captureChecks } from '../capture-checks.ts';

let device: Device;
beforeAll(async () => {
  device = await init({ backend: 'cpu' });
});

describe('capture', () => {
  for (const { name, run } of captureChecks) it(name, () => run(device));
});

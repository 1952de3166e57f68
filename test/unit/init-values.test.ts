// Initial values on the CPU.
import { beforeAll, describe, it } from 'vitest';
import { init, manualSeed, type Device } from '../../src/index.ts';
import { initChecks } from '../init-checks.ts';

let device: Device;
beforeAll(async () => {
  device = await init({ backend: 'cpu' });
});

describe('nn.init', () => {
  for (const { name, run } of initChecks) {
    it(name, () => {
      manualSeed(1);
      return run(device);
    });
  }
});

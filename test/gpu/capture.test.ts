// Captured steps on WebGPU, by both plans.
import { afterAll, beforeAll, describe, it } from 'vitest';
import type { Device } from '../../src/index.ts';
import { captureChecks } from '../capture-checks.ts';
import { openGpu } from '../open.ts';

describe.each(['software', 'hardware'] as const)('capture, by the plan for %s', (tuning) => {
  let device: Device;
  beforeAll(async () => {
    device = await openGpu({ tuning });
  });
  afterAll(async () => {
    await device.synchronize();
    device.dispose();
  });
  for (const { name, run } of captureChecks) it(name, () => run(device));
});

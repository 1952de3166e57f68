// Takes ops, and gives a vitest test per check of hostile values, by the plan for this adapter and by that for hardware.
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from 'vitest';
import { init, type Device } from '../../src/index.ts';
import { openGpu, releaseGpu } from '../open.ts';
import { hostileChecks } from './hostile-checks.ts';
import { optimizerChecks } from './hostile-optimizers.ts';

export function hostileSuite(ops: readonly string[], full: boolean, optimizers = true): void {
  let plans: (readonly [string, Device])[] = [];
  let cpu: Device;
  // Of all sizes each op has devices, and so pipelines, of its own: those of all together take more than 8 GB.
  const [before, after] = full ? [beforeEach, afterEach] : [beforeAll, afterAll];
  before(async () => {
    cpu = await init({ backend: 'cpu' });
    plans = [
      ['as it is', await openGpu()],
      ['as hardware', await openGpu({ tuning: 'hardware' })],
    ];
  });
  after(async () => {
    for (const [, gpu] of plans) gpu.dispose();
    if (full) await releaseGpu();
  });

  describe('hostile values', () => {
    for (const { name, run } of hostileChecks(ops, full)) {
      it(name, { timeout: full ? 3_600_000 : 300_000 }, () => run({ cpu, plans }));
    }
    if (!optimizers) return;
    describe('optimizers', () => {
      for (const { name, run } of optimizerChecks) it(name, () => run({ cpu, plans }));
    });
  });
}

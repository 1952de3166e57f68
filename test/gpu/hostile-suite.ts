// Takes ops, and gives a vitest test per check of hostile values, by the plan for this adapter and by that for hardware.
import { afterAll, beforeAll, describe, it } from 'vitest';
import { init, type Device } from '../../src/index.ts';
import { openGpu } from '../open.ts';
import { hostileChecks } from './hostile-checks.ts';
import { optimizerChecks } from './hostile-optimizers.ts';

export function hostileSuite(ops: readonly string[], full: boolean, optimizers = true): void {
  const plans: (readonly [string, Device])[] = [];
  let cpu: Device;
  beforeAll(async () => {
    cpu = await init({ backend: 'cpu' });
    plans.push(['as it is', await openGpu()]);
    plans.push(['as hardware', await openGpu({ tuning: 'hardware' })]);
  });
  afterAll(() => {
    for (const [, gpu] of plans) gpu.dispose();
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

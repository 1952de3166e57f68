// Takes ops, and gives a vitest test per check of hostile values, by the plan for hardware or by both.
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from 'vitest';
import { init, type Device } from '../../src/index.ts';
import { openGpu, releaseGpu } from '../open.ts';
import { hostileChecks, type Amount } from './hostile-checks.ts';
import { optimizerChecks } from './hostile-optimizers.ts';

export interface HostileSuite {
  readonly amount: Amount;
  /** Also by the plan for this adapter. */
  readonly software: boolean;
  readonly optimizers: boolean;
}

export function hostileSuite(
  ops: readonly string[],
  { amount, software, optimizers }: HostileSuite,
): void {
  let plans: [string, Device][] = [];
  let cpu: Device;
  const all = amount === 'all';
  // Of all sizes each op has devices, and so pipelines, of its own: those of all together take more than 8 GB.
  const [before, after] = all ? [beforeEach, afterEach] : [beforeAll, afterAll];
  before(async () => {
    cpu = await init({ backend: 'cpu' });
    plans = [['as hardware', await openGpu({ tuning: 'hardware' })]];
    if (software) plans.push(['as it is', await openGpu()]);
  });
  after(async () => {
    for (const [, gpu] of plans) gpu.dispose();
    if (all) await releaseGpu();
  });

  describe('hostile values', () => {
    for (const { name, run } of hostileChecks(ops, amount)) {
      it(name, { timeout: all ? 3_600_000 : 300_000 }, () => run({ cpu, plans }));
    }
    if (!optimizers) return;
    describe('optimizers', () => {
      for (const { name, run } of optimizerChecks) it(name, () => run({ cpu, plans }));
    });
  });
}

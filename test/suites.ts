// Takes checks that know no test runner, and devices, and gives a vitest test per check.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { init, type Device } from '../src/index.ts';
import { basicsChecks } from './basics.ts';
import { conformanceChecks } from './conformance.ts';
import { openOn } from './open.ts';

/**
 * Golden cases on one backend. `make` gives the device under test; `ops` are all where none are given. `every`: how many
 * checks of an op one is taken of; the first of each always.
 */
export function conformanceSuite(
  backend: 'cpu' | 'webgpu',
  make: () => Promise<Device> = () => openOn(backend),
  ops?: readonly string[],
  every: number | ((op: string) => number) = 1,
): void {
  let device: Device;
  let reference: Device;
  beforeAll(async () => {
    reference = await init({ backend: 'cpu' });
    device = await make();
    expect(device.type).toBe(backend);
  });
  // Whatever went wrong on the GPU unseen shows here.
  afterEach(() => device.synchronize());
  afterAll(() => {
    device.dispose();
  });

  // One op's tests load its own files only, and some ops have none.
  if (!import.meta.env.VITE_OP) {
    it('has golden files', () => {
      expect(conformanceChecks.size).toBeGreaterThanOrEqual(13);
    });
  }

  for (const [op, checks] of conformanceChecks) {
    if (ops && !ops.includes(op)) continue;
    const step = typeof every === 'number' ? every : every(op);
    describe(op, () => {
      for (const [i, { name, run }] of checks.entries()) {
        if (i % step === 0) it(name, () => run({ device, reference }));
      }
    });
  }
}

export function basicsSuite(device: Device): void {
  describe('the basics', () => {
    for (const { name, run } of basicsChecks) it(name, () => run(device));
  });
}

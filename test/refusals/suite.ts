// Takes calls that must be refused, and gives a vitest test of each, on one device.
import { expect, it } from 'vitest';
import { NonlinError } from '../../src/index.ts';
import { declaredRefusals } from './declared.ts';
import { fileRefusals } from './files.ts';
import { mistakeRefusals } from './mistakes.ts';
import type { Devices, Refusal } from './refusal.ts';
import { setupRefusals } from './setup.ts';
import { tensorRefusals } from './tensors.ts';
import { trainingRefusals } from './training.ts';

export const ALL_REFUSALS: readonly Refusal[] = [
  ...tensorRefusals,
  ...setupRefusals,
  ...fileRefusals,
  ...declaredRefusals,
  ...mistakeRefusals,
  ...trainingRefusals,
];

/** Words that a person would not write. */
export const AWKWARD =
  /\ba (int|undefined|null|Array\b|array of 0|unknown|Int|ArrayB)|\[object|undefined undefined|, ,|: ,/;

/** Registers the tests; `devices` are there once they run. */
export function refusalTests(backend: Devices['backend'], devices: () => Devices): void {
  it('has a name of its own for each', () => {
    const names = ALL_REFUSALS.filter(({ on = backend }) => on === backend).map(({ name }) => name);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });

  for (const { name, op, argument, error, given, says, on = backend } of ALL_REFUSALS) {
    if (on !== backend) continue;
    it(`refuses ${name}`, async () => {
      const made = devices();
      const call = given(made);
      const before = made.device.stats();
      let thrown: unknown;
      try {
        await call();
      } catch (caught) {
        thrown = caught;
      }
      expect(thrown).toBeInstanceOf(error);
      if (!(thrown instanceof NonlinError)) return;
      expect(thrown.op).toBe(op);
      expect(thrown.argument).toBe(argument);
      expect(thrown.expected).toBeDefined();
      expect(thrown.received).toBeDefined();
      expect(thrown.message.startsWith(`${op}: `), thrown.message).toBe(true);
      if (says !== undefined) expect(thrown.message).toContain(says);
      expect(thrown.message).not.toMatch(AWKWARD);
      expect(thrown.message.length).toBeLessThan(300);
      const { dispatches, submits } = made.device.stats();
      expect({ dispatches, submits }).toEqual({
        dispatches: before.dispatches,
        submits: before.submits,
      });
    });
  }
}

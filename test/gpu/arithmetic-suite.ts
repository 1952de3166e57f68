// Takes which ops to look at, and gives tests of their stated bounds under the arithmetic that hardware may have: a small sweep
// in each mode of test/arithmetic. `npm run accuracy -- --arithmetic MODE` is the large one.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { init, type Device } from '../../src/index.ts';
import { isRows, measured, optionSets } from '../accuracy/cases.ts';
import { constantsOf, runsRound, stratified } from '../accuracy/inputs.ts';
import type { Worst } from '../accuracy/measure.ts';
import { rowBound, sweep, sweepRows, type Errors } from '../accuracy/sweep.ts';
import { withArithmetic } from '../arithmetic/device.ts';
import { MODES, type Arithmetic } from '../arithmetic/helpers.ts';
import { requestGpuDevice } from './gpu-device.ts';

const INPUTS = 2 ** 12;

const describeWorst = ({ ulp, x, got, want }: Worst): string =>
  `${ulp.toFixed(2)} ULP off at x = ${x}: ${got}, not ${want}`;

function expectWithin(errors: Errors, bound: { forward: number; backward: number }, where: string) {
  const wrong = (['forward', 'backward'] as const)
    .filter((direction) => !(errors[direction].ulp <= bound[direction]))
    .map(
      (direction) => `${direction} ${describeWorst(errors[direction])}, bound ${bound[direction]}`,
    );
  expect(wrong, where).toEqual([]);
}

/** Contraction in small pieces, as one element is compiled then, not four; the others as on hardware. */
async function open(mode: Arithmetic): Promise<Device> {
  const device = withArithmetic(await requestGpuDevice(), mode);
  return init({ device, tuning: mode === 'contract' ? 'software' : 'hardware' });
}

/** `takes`: whether an op, by its kind and its place in the catalog, is looked at in a mode. */
export function arithmeticSuite(takes: (kind: string, op: number, mode: number) => boolean): void {
  describe.each(MODES)('stated accuracy with %s', (mode) => {
    let device: Device;
    beforeAll(async () => {
      device = await open(mode);
    });
    afterAll(() => {
      device.dispose();
    });

    const ops = measured.filter(({ kind }, i) => takes(kind, i, MODES.indexOf(mode)));
    for (const op of ops.filter((op) => !isRows(op))) {
      it(op.op, async () => {
        const chunks = [...stratified(INPUTS), ...runsRound(constantsOf(op))];
        for (const options of optionSets(op)) {
          const errors = await sweep(device, op, options, chunks, 'float32');
          expectWithin(errors, op.accuracy, `${op.op} ${JSON.stringify(options)}`);
        }
      });
    }

    for (const op of ops.filter(isRows)) {
      it(op.op, async () => {
        for (const n of [3, 257]) {
          for (const options of optionSets(op)) {
            const errors = await sweepRows(device, op, options, n, INPUTS, 'float32');
            const bound =
              op.kind === 'norm' ? op.accuracy : { forward: rowBound(n), backward: rowBound(n) };
            expectWithin(errors, bound, `${op.op} ${JSON.stringify(options)}, rows of ${n}`);
          }
        }
      });
    }
  });
}

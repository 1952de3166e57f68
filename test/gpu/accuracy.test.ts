// Every activation of the catalog over a small sweep on the GPU: no error may exceed the bound its declaration states.
// `npm run accuracy` is the large one.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalog } from '../../src/catalog.ts';
import type { Device } from '../../src/index.ts';
import { functions, isRows, measured, optionSets } from '../accuracy/cases.ts';
import { constantsOf, everyHalf, runsRound, stratified } from '../accuracy/inputs.ts';
import type { Worst } from '../accuracy/measure.ts';
import { LENGTHS, rowBound, sweep, sweepRows, type Errors } from '../accuracy/sweep.ts';
import { openGpu } from '../open.ts';
import { inParts, LONG } from '../parts.ts';

const INPUTS = 2 ** 16;

let device: Device;
beforeAll(async () => {
  device = await openGpu();
});
afterAll(() => {
  device.dispose();
});

function expectWithin(errors: Errors, bound: { forward: number; backward: number }, where: string) {
  const wrong = (['forward', 'backward'] as const)
    .filter((direction) => !(errors[direction].ulp <= bound[direction]))
    .map(
      (direction) => `${direction} ${describeWorst(errors[direction])}, bound ${bound[direction]}`,
    );
  expect(wrong, where).toEqual([]);
}

const describeWorst = ({ ulp, x, got, want }: Worst): string =>
  `${ulp.toFixed(2)} ULP off at x = ${x}: ${got}, not ${want}`;

describe('stated accuracy', () => {
  it('is there to be tested', () => {
    expect(measured.length).toBe(
      catalog.filter(({ kind }) => !['loss', 'embedding', 'attention'].includes(kind)).length,
    );
  });

  for (const op of [...measured, ...functions].filter((op) => !isRows(op))) {
    it(op.op, async () => {
      const chunks = [...stratified(INPUTS), ...runsRound(constantsOf(op))];
      const sets = optionSets(op);
      for (const options of sets) {
        const where = `${op.op} ${JSON.stringify(options)}`;
        expectWithin(await sweep(device, op, options, chunks, 'float32'), op.accuracy, where);
      }
    });

    it(`${op.op} in float16`, LONG, async () => {
      const half = await sweep(device, op, optionSets(op)[0] ?? {}, [everyHalf], 'float16');
      expectWithin(half, op.accuracy, `${op.op} in float16`);
    });
  }

  for (const op of measured.filter(({ kind }) => kind === 'rowwise')) {
    for (const [lengths, tags] of inParts(LENGTHS, 3)) {
      it(`${op.op} of rows of ${lengths.join(', ')}`, tags, async () => {
        for (const n of lengths) {
          // float16 is the same kernel, and a cast: one length is enough here.
          for (const dtype of n === 17
            ? (['float32', 'float16'] as const)
            : (['float32'] as const)) {
            for (const options of optionSets(op)) {
              const errors = await sweepRows(device, op, options, n, INPUTS, dtype);
              const bound = { forward: rowBound(n), backward: rowBound(n) };
              const where = `${op.op} ${JSON.stringify(options)}, rows of ${n}, ${dtype}`;
              expectWithin(errors, bound, where);
            }
          }
        }
      });
    }
  }

  for (const op of measured.filter(({ kind }) => kind === 'norm')) {
    for (const [lengths, tags] of inParts([64, 3, 4099], 3)) {
      it(`${op.op} of rows of ${lengths.join(', ')}`, tags, async () => {
        for (const n of lengths) {
          for (const options of optionSets(op)) {
            const errors = await sweepRows(device, op, options, n, INPUTS);
            expectWithin(errors, op.accuracy, `${op.op} ${JSON.stringify(options)}, rows of ${n}`);
          }
        }
      });
    }
  }
});

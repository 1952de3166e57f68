// Takes an op with its reference and a device, and gives the largest errors of its WGSL in ULP, near 0 and over all of float32.
import type { Device } from 'nonlin';

import { FLUSHED, ulpError } from '../../../test/accuracy/measure.ts';
import { compute } from '../../lab/curve.ts';
import { generator } from '../../training/random.ts';
import type { OwnOp } from './declare.ts';

/** The largest error over a range. */
export interface Worst {
  /** The largest that is a number. */
  readonly ulp: number;
  /** Where it is, NaN where there is none. */
  readonly at: number;
  readonly got: number;
  readonly want: number;
  /** How many results are NaN or infinite where they should be a number, or the other way round, and where the first is. */
  readonly wrong: number;
  readonly wrongAt: number;
}

export interface Range {
  readonly count: number;
  readonly forward: Worst;
  readonly backward: Worst;
}

export interface Sweep {
  /** From -10 to 10. */
  readonly near: Range;
  /** Every power of two that float32 has, both signs. */
  readonly all: Range;
}

export const NEAR = 10;
const NEAR_COUNT = 4096;
/** Inputs for each sign and power of two. */
const EACH = 8;
const [LEAST, MOST] = [-126, 127];

export async function sweepOf(op: OwnOp, device: Device): Promise<Sweep> {
  const next = generator(1);
  const near = Float32Array.from(
    { length: NEAR_COUNT },
    (_, i) => NEAR * ((2 * (i + next())) / NEAR_COUNT - 1),
  );
  const all = Float32Array.from({ length: 2 * EACH * (MOST - LEAST + 1) }, (_, i) => {
    const exponent = LEAST + Math.floor(i / (2 * EACH));
    return (i % 2 === 0 ? 1 : -1) * 2 ** exponent * (1 + next());
  });
  // targets of a loss are of every size that its inputs near 0 are
  const targets = Float32Array.from({ length: 1024 }, () => NEAR * (2 * next() - 1));
  const target = (i: number) => targets[i % targets.length] ?? 0;
  return {
    near: await measure(op, near, target, device),
    all: await measure(op, all, target, device),
  };
}

async function measure(
  op: OwnOp,
  x: Float32Array,
  target: (i: number) => number,
  device: Device,
): Promise<Range> {
  const got = await compute((input) => op.apply(input, target), x, [x.length], device);
  return {
    count: x.length,
    forward: worstOf(x, got.y, FLUSHED.forward, (at, i) => [op.value(at, target(i)), 0]),
    backward: worstOf(x, got.slope, FLUSHED.backward, (at, i) => [
      op.slope(at, target(i)),
      op.term(at, target(i)),
    ]),
  };
}

function worstOf(
  x: Float32Array,
  results: Float32Array,
  flushed: number,
  reference: (x: number, i: number) => readonly [want: number, term: number],
): Worst {
  let worst: Worst = { ulp: 0, at: NaN, got: NaN, want: NaN, wrong: 0, wrongAt: NaN };
  x.forEach((at, i) => {
    const [want, term] = reference(at, i);
    const got = results[i] ?? NaN;
    const ulp = ulpError(got, want, term, flushed);
    if (ulp === Infinity) {
      worst = { ...worst, wrong: worst.wrong + 1, wrongAt: worst.wrong === 0 ? at : worst.wrongAt };
    } else if (ulp > worst.ulp) worst = { ...worst, ulp, at, got, want };
  });
  return worst;
}

// A part of the golden cases by this adapter's plan, and fewer of those where the plan for hardware differs. All are in
// test/hostile/conformance.test.ts.
import { describe } from 'vitest';
import { ADAPTIVE } from '../conformance.ts';
import { openGpu } from '../open.ts';
import { conformanceSuite } from '../suites.ts';
import { MANY_PIPELINES, STEP } from './golden-parts.ts';

describe('on this adapter', () => {
  conformanceSuite('webgpu', openGpu, undefined, (op) => MANY_PIPELINES[op] ?? STEP);
});

// An odd step meets both dtypes.
describe('as on a hardware adapter', () => {
  const open = () => openGpu({ tuning: 'hardware' });
  conformanceSuite('webgpu', open, ADAPTIVE, (op) => (op in MANY_PIPELINES ? 61 : 21));
});

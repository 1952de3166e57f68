// Golden cases by this adapter's plan, and a part of those where the plan for hardware differs. All others are in
// test/hostile/conformance.test.ts.
import { describe } from 'vitest';
import { ADAPTIVE } from '../conformance.ts';
import { openGpu } from '../open.ts';
import { conformanceSuite } from '../suites.ts';
import { MANY_PIPELINES } from './golden-parts.ts';

describe('on this adapter', () => {
  conformanceSuite('webgpu', openGpu, undefined, (op) => MANY_PIPELINES[op] ?? 1);
});

// An odd step meets both dtypes.
describe('as on a hardware adapter', () => {
  const open = () => openGpu({ tuning: 'hardware' });
  conformanceSuite('webgpu', open, ADAPTIVE, (op) => (op in MANY_PIPELINES ? 21 : 7));
});

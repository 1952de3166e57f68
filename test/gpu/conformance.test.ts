// Golden cases by this adapter's plan, and a part of those where the plan for hardware differs. All others are in
// test/hostile/conformance.test.ts.
import { describe } from 'vitest';
import { init } from '../../src/index.ts';
import { ADAPTIVE, conformanceChecks } from '../conformance.ts';
import { conformanceSuite } from '../suites.ts';
import { MANY_PIPELINES } from './golden-parts.ts';

const others = [...conformanceChecks.keys()].filter((op) => !MANY_PIPELINES.includes(op));

// Odd steps meet both dtypes.
describe('on this adapter', () => {
  conformanceSuite('webgpu', () => init({ backend: 'webgpu' }), others);
  conformanceSuite('webgpu', () => init({ backend: 'webgpu' }), MANY_PIPELINES, 3);
});

describe('as on a hardware adapter', () => {
  const open = () => init({ backend: 'webgpu', tuning: 'hardware' });
  conformanceSuite('webgpu', open, ADAPTIVE, 7);
});

import { describe } from 'vitest';
import { init } from '../../src/index.ts';
import { ADAPTIVE } from '../conformance.ts';
import { conformanceSuite } from '../suites.ts';

describe('on this adapter', () => {
  conformanceSuite('webgpu');
});

describe('as on a hardware adapter', () => {
  conformanceSuite('webgpu', async () => init({ backend: 'webgpu', tuning: 'hardware' }), ADAPTIVE);
});

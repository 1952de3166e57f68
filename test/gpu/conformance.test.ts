import { describe } from 'vitest';
import { init } from '../../src/index.ts';
import { ADAPTIVE } from '../conformance.ts';
import { conformanceSuite } from '../suites.ts';
import { requestHardwareLike } from './gpu-device.ts';

describe('on this adapter', () => {
  conformanceSuite('webgpu');
});

describe('as on a hardware adapter', () => {
  conformanceSuite('webgpu', async () => init({ device: await requestHardwareLike() }), ADAPTIVE);
});

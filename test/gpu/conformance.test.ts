import { describe } from 'vitest';
import { init } from '../../src/index.ts';
import { conformanceSuite } from '../suites.ts';
import { requestHardwareLike } from './gpu-device.ts';

describe('on this adapter', () => {
  conformanceSuite('webgpu');
});

// Other kernels and sizes: rows shared by a workgroup.
describe('as on a hardware adapter', () => {
  conformanceSuite('webgpu', async () => init({ device: await requestHardwareLike() }), [
    'softmax',
    'log_softmax',
    'nll_loss',
    'cross_entropy',
    'focal_loss',
    'mse_loss',
  ]);
});

import { describe } from 'vitest';
import { init } from '../../src/index.ts';
import { adaptiveSoftmaxSuite } from '../adaptive-softmax.ts';

describe('on this adapter', () => {
  adaptiveSoftmaxSuite('webgpu');
});

describe('as on a hardware adapter', () => {
  adaptiveSoftmaxSuite('webgpu', async () => init({ backend: 'webgpu', tuning: 'hardware' }));
});

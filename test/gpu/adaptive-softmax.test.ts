import { describe } from 'vitest';
import { adaptiveSoftmaxSuite } from '../adaptive-softmax.ts';
import { openGpu } from '../open.ts';

describe('on this adapter', () => {
  adaptiveSoftmaxSuite('webgpu');
});

describe('as on a hardware adapter', () => {
  adaptiveSoftmaxSuite('webgpu', async () => openGpu({ tuning: 'hardware' }));
});

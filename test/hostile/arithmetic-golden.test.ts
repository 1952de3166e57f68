// Golden cases of row-wise ops and losses under the arithmetic that hardware may have: all of sparsemax, whose support hangs
// on the last bit of a quotient, and some of ops with other kernels.
import { describe } from 'vitest';
import { init, type Device } from '../../src/index.ts';
import { withArithmetic } from '../arithmetic/device.ts';
import { MODES, type Arithmetic } from '../arithmetic/helpers.ts';
import { conformanceSuite } from '../suites.ts';

const OPS = ['softmax', 'kl_div', 'gaussian_nll_loss', 'cosine_embedding_loss', 'dice_loss'];

/** As planned for hardware; contraction takes a compiler long, so that it gets the shorter shaders of software's plan. */
async function open(mode: Arithmetic): Promise<Device> {
  const tuning = mode === 'contract' ? 'software' : 'hardware';
  const device = await init({ backend: 'webgpu', tuning });
  if (device.gpuDevice) withArithmetic(device.gpuDevice, mode);
  return device;
}

describe.each(MODES)('with %s', (mode) => {
  describe('all', () => {
    conformanceSuite('webgpu', () => open(mode), ['sparsemax']);
  });
  describe('some', () => {
    conformanceSuite('webgpu', () => open(mode), OPS, 11);
  });
});

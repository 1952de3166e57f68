import { fetchDigits } from '../../demo/training/digits.ts';
import { convergenceSuite } from '../convergence.ts';

// Made by the lane's global setup.
convergenceSuite('webgpu', () => fetchDigits('/demo/public/mnist.bin.gz'));

import { fetchDigits } from '../../demo/training/digits.ts';
import { headsSuite } from '../convergence-heads.ts';
import { convergenceSuite } from '../convergence.ts';

// Made by the lane's global setup.
convergenceSuite('webgpu', () => fetchDigits('/demo/public/mnist.bin.gz'));
headsSuite('webgpu');

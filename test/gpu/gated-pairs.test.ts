import { gatedPairSuite } from '../gated-pairs.ts';

gatedPairSuite({ backend: 'webgpu' });

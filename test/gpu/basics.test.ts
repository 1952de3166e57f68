import { init } from '../../src/index.ts';
import { basicsSuite } from '../suites.ts';

const device = await init({ backend: 'webgpu' });
basicsSuite(device);

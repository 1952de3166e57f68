import { init } from '../../src/index.ts';
import { basicsTests } from '../basics.ts';

const device = await init({ backend: 'webgpu' });
basicsTests(() => device);

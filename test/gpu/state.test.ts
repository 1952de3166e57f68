import { stateSuite } from '../state.ts';
import { init } from '../../src/index.ts';

stateSuite(() => init({ backend: 'webgpu' }));

import { lossesSuite } from '../losses.ts';

lossesSuite('webgpu');

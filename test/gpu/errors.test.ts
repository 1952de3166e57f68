import { badInputSuite } from '../bad-input.ts';

badInputSuite('webgpu');

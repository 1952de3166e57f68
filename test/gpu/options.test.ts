import { optionsSuite } from '../options.ts';

optionsSuite('webgpu');

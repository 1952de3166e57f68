import { conformanceSuite } from '../conformance.ts';

conformanceSuite('webgpu');

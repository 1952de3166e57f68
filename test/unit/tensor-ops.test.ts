import { tensorOpsSuite } from '../tensor-ops.ts';

tensorOpsSuite('cpu');

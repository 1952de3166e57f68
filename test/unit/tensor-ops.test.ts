import { tensorOpsSuite } from '../tensor-ops.ts';

tensorOpsSuite({ backend: 'cpu' });

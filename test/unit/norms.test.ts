import { normSuite } from '../norms.ts';

normSuite('cpu');

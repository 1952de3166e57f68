import { normSuite } from '../norms.ts';

normSuite({ backend: 'cpu' });

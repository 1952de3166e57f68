// Hostile values for every op: all sizes, and every family by itself. `npm test` tries some: test/gpu/hostile.test.ts.
import { opNames } from '../calls.ts';
import { hostileSuite } from '../gpu/hostile-suite.ts';

hostileSuite(opNames, { amount: 'all', software: true, optimizers: true });

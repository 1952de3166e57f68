import { conformanceSuite } from '../suites.ts';

conformanceSuite('cpu');

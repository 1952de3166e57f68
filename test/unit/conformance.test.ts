import { conformanceSuite } from '../conformance.ts';

conformanceSuite('cpu');

import { lossesSuite } from '../losses.ts';

lossesSuite('cpu');

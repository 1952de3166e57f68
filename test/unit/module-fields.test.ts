import { init } from '../../src/index.ts';
import { moduleSuite } from '../module-checks.ts';

moduleSuite(() => init({ backend: 'cpu' }));

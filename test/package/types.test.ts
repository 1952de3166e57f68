// The declarations as today's compiler sees them; older and newer ones: test/interop/types.test.ts.
import { typesSuite } from './types-suite.ts';

typesSuite('6.0', 'typescript');

// The declarations as older compilers see them; today's: test/package/types.test.ts.
import { typesSuite } from '../package/types-suite.ts';

typesSuite('5.5', 'typescript-5.5');
typesSuite('5.9', 'typescript-5.9');

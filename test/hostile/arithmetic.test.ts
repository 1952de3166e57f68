// The stated bounds of each op under each freedom that hardware's arithmetic has. `npm test` takes a part:
// test/gpu/arithmetic.test.ts.
import { arithmeticSuite } from '../gpu/arithmetic-suite.ts';

arithmeticSuite(() => true);

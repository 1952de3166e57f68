// Random calls of every op in windows past the binding limit. `npm test` draws fewer: test/gpu/windows.test.ts.
import { opNames } from '../calls.ts';
import { pointwiseWindowsSuite } from '../gpu/pointwise-windows.ts';
import { windowsSuite } from '../gpu/windows-suite.ts';

windowsSuite(opNames, { draws: 6, refused: opNames });
pointwiseWindowsSuite(25);

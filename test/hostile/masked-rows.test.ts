// Masked rows in each dtype and every shape. `npm test` takes float16 in two of them: test/gpu/masked-rows.test.ts.
import { maskedRowsSuite, SHAPES } from '../gpu/masked-rows-suite.ts';

maskedRowsSuite({ float32: SHAPES, float16: SHAPES });

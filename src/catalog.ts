// All declared ops in one list, for the demo, the docs and the tests. No op imports this file.
import { isDocumented, type Documented } from './define/op.ts';
import * as ops from './ops.ts';

export const catalog: readonly Documented[] = Object.values<unknown>(ops).filter(isDocumented);

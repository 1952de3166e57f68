// In: every declared op. Out: all of them in one list, for the demo, the docs and the tests; no op imports it.
import { isDocumented, type Documented } from './define/op.ts';
import * as ops from './ops.ts';

export const catalog: readonly Documented[] = Object.values<unknown>(ops).filter(isDocumented);

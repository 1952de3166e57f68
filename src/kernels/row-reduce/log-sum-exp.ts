// The logarithm of the sum of e^x over each row.
import text from '../../../shaders/kernels/row-reduce/log-sum-exp.wgsl?raw';
import { bits, logSoftmax } from '../../shader/lib.ts';
import { source } from '../../shader/link.ts';
import type { RowReduction } from './plan.ts';

const own = /* @__PURE__ */ source('kernels/row-reduce/log-sum-exp.wgsl', text, [bits, logSoftmax]);

export const rowLogSumExp: RowReduction = {
  name: 'logsumexp',
  source: () => own,
  fill: '-infinity()',
  reference: (x) => {
    let max = -Infinity;
    for (const v of x) max = Math.max(max, v);
    if (Number.isNaN(max)) return { value: NaN, row_max: NaN, log_sum: NaN };
    if (Math.abs(max) === Infinity) return { value: max, row_max: max, log_sum: 0 };
    // Without one of the largest elements, so that the logarithm is exact also where it outweighs all others.
    let [others, found] = [0, false];
    for (const v of x) {
      if (v === max && !found) found = true;
      else others += Math.exp(v - max);
    }
    const logSum = Math.log1p(others);
    return { value: max + logSum, row_max: max, log_sum: logSum };
  },
};

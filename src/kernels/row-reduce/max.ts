// The largest element of each row, and where it is.
import aloneText from '../../../shaders/kernels/row-reduce/max-alone.wgsl?raw';
import sharedText from '../../../shaders/kernels/row-reduce/max-shared.wgsl?raw';
import maxText from '../../../shaders/kernels/row-reduce/max.wgsl?raw';
import { bits } from '../../shader/lib.ts';
import { source } from '../../shader/link.ts';
import type { RowReduction } from './plan.ts';

/** The first of the largest elements; NaN counts as larger than all numbers. */
function placeOfMax(x: Float64Array): number {
  let at = 0;
  for (let i = 0; i < x.length; i++) {
    const [v, best] = [x[i] ?? NaN, x[at] ?? NaN];
    if (Number.isNaN(best)) break;
    if (v > best || Number.isNaN(v)) at = i;
  }
  return at;
}

const alone = /* @__PURE__ */ source('kernels/row-reduce/max-alone.wgsl', aloneText);
const shared = /* @__PURE__ */ source('kernels/row-reduce/max-shared.wgsl', sharedText);

export const rowMax: RowReduction = {
  name: 'max',
  // A barrier, even one that is never reached, is refused where invocations go different ways.
  source: (unit) =>
    source(
      'kernels/row-reduce/max.wgsl',
      `//#include "kernels/row-reduce/max-${unit === 'workgroup' ? 'shared' : 'alone'}.wgsl"\n${maxText}`,
      [bits, unit === 'workgroup' ? shared : alone],
    ),
  fill: '0.0',
  reference: (x) => {
    const index = placeOfMax(x);
    return { value: x[index] ?? NaN, index };
  },
};

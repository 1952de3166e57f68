// The kernel of norms: each row of a tensor over a measure of its size.
import type { Kernel, Plan } from '../../core/kernel.ts';
import { fits } from '../windows/regions.ts';
import { isSum, type NormArgs } from './args.ts';
import { inQuads } from './bindings.ts';
import { computeNorm } from './reference.ts';
import { planBackward, planResults } from './whole.ts';
import { planNormWindows } from './windows.ts';

const PLANNED_NOTHING: Plan = { launches: [], scratch: [] };

export const normKernel: Kernel<NormArgs> = {
  name: 'norm',
  float16: 'native',
  // Two rows may share a word; and gradients of operands are sums.
  widens: (args, output) =>
    args.direction === 'backward' && output >= Number(args.wants.x)
      ? true
      : !inQuads(args.layout) && output <= Number(isSum(args)),
  plan: (args, inputs, outputs, caps) => {
    if (args.layout.n === 0 && !args.channels) return PLANNED_NOTHING;
    if (!fits([...inputs, ...outputs], caps)) {
      const planned = planNormWindows(args, inputs, outputs, caps);
      // Else a row is longer than a binding: refused where it is launched.
      if (planned) return planned;
    }
    return args.direction === 'forward'
      ? planResults(args, inputs, outputs, caps)
      : planBackward(args, inputs, outputs, caps);
  },
  cpu: computeNorm,
};

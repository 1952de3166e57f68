// The pointwise kernel: plans of all its ops, and the CPU loop.
import accumulateText from '../../../shaders/kernels/pointwise/accumulate.wgsl?raw';
import type { Kernel } from '../../core/kernel.ts';
import { sameShape } from '../../core/shape.ts';
import { sum } from '../../shader/lib.ts';
import { source } from '../../shader/link.ts';
import { sameParams } from '../../shader/params.ts';
import { planSum } from '../reduce/plan.ts';
import type { PointwiseArgs } from './args.ts';
import { planElements, type Others } from './elements.ts';
import { pointwiseOnCpu } from './reference.ts';
import { repeats } from './repeats.ts';
import { planPointwiseParts } from './windows.ts';

export type { PointwiseArgs, PointwiseOp, PointwiseReference } from './args.ts';

const OTHERS: Others = {
  repeats,
  accumulate: /* @__PURE__ */ source('kernels/pointwise/accumulate.wgsl', accumulateText, [sum]),
  sum: planSum,
  parts: planPointwiseParts,
};

export const pointwise: Kernel<PointwiseArgs> = {
  name: 'pointwise',
  float16: 'native',
  widens: ({ sum }, output) => sum !== undefined && output === 0,
  aliases: ({ op }, output) => op.inPlace?.[output] ?? -1,
  plan: (args, inputs, outputs, caps) => planElements(args, inputs, outputs, caps, OTHERS),
  cpu: pointwiseOnCpu,
  kept: {
    key: ({ op }) => op,
    same: (a, b) =>
      a.sum === b.sum &&
      a.scale === b.scale &&
      sameShape(a.shape, b.shape) &&
      sameParams(a.op.params, a.params, b.params),
  },
};

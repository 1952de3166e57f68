// The pointwise kernel: how its calls are told apart, and the CPU loop; planner.ts plans it.
import type { DeviceKernel } from '../../core/kernel.ts';
import { sameShape } from '../../core/shape.ts';
import { sameParams } from '../../shader/params.ts';
import type { PointwiseArgs } from './args.ts';
import { pointwiseOnCpu } from './reference.ts';

export type { PointwiseArgs, PointwiseOp, PointwiseReference } from './args.ts';

export const pointwise: DeviceKernel<PointwiseArgs> = {
  name: 'pointwise',
  float16: 'native',
  widens: ({ sum }, output) => sum !== undefined && output === 0,
  aliases: ({ op }, output) => op.inPlace?.[output] ?? -1,
  plan: (args, inputs, outputs, caps) => caps.pointwise(args, inputs, outputs, caps),
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

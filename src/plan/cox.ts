// Plans of coxPhLoss, which sorts by time, and counts the events, on the GPU.
import type { Reduction } from '../define/reduction.ts';
import { cox } from '../kernels/cox/plan.ts';
import { pointwisePlanner } from '../kernels/pointwise/planner.ts';
import { coxCall, NAME } from '../losses/cox-hazards.ts';
import { kernelPass } from './kernel-pass.ts';
import type { KernelOp } from './types.ts';

/** Options of a plan of `coxPhLoss`: the reduction. */
export interface CoxKernelOptions {
  /** `'mean'` (default) over the events, `'sum'`, or `'none'` for the loss of each. */
  readonly reduction?: Reduction;
}

/** `coxPhLoss` for `planOf`. `event` is int32. A NaN among the times is yours to refuse. */
export function coxKernel(): KernelOp<CoxKernelOptions, 'input' | 'time' | 'event'> {
  return {
    op: NAME,
    kind: 'loss',
    inputs: ['input', 'time', 'event'],
    differentiable: ['input'],
    passes: (call) => {
      const input = call.input();
      const time = call.input('time', input.shape);
      const event = call.input('event', input.shape, ['int32']);
      const { shape, args, count, reduce } = coxCall(call.options, [], { input, time, event });
      const counts = count ? [call.tensor('count', [], 'float32')] : [];
      const operands = [input, time, event, ...counts];
      const y = call.tensor('output', shape, input.dtype);
      const wants = call.wants('input');
      const fused = wants && reduce !== null && call.fused;
      return {
        forward: kernelPass(call, (pass) => {
          if (count) pass.run(pointwisePlanner, count, [event], counts);
          const losses = reduce ? pass.temporary(input.shape, 'float32') : y;
          const grads = fused ? [call.gradOf(input)] : [];
          pass.run(cox, args(false, fused), operands, [losses, ...grads]);
          if (!reduce) return;
          pass.run(pointwisePlanner, reduce, [losses, ...counts], [y]);
          pass.release(losses);
        }),
        backward: wants
          ? kernelPass(call, (pass) => {
              const reads = [...operands, call.gradOf(y)];
              pass.run(cox, args(true, true), reads, [call.gradOf(input)]);
            })
          : null,
      };
    },
  };
}

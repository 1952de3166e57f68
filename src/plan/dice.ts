// Plans of diceLoss: sums of each sample, from which the gradient is pointwise.
import type { Reduction } from '../define/reduction.ts';
import { diceKernel as kernel } from '../kernels/dice/plan.ts';
import { pointwisePlanner } from '../kernels/pointwise/planner.ts';
import { diceCall, NAME } from '../losses/dice-samples.ts';
import { kernelPass, type KernelPass } from './kernel-pass.ts';
import { seenAs, type Part } from './pass.ts';
import type { KernelOp } from './types.ts';

/** Options of a plan of `diceLoss`. */
export interface DiceKernelOptions {
  /** Added to numerator and denominator. Defaults to 1. */
  readonly eps?: number;
  /** `'mean'` (default) over samples, `'sum'`, or `'none'` for the loss of each sample. */
  readonly reduction?: Reduction;
}

/** `diceLoss` for `planOf`. */
export function diceKernel(): KernelOp<DiceKernelOptions, 'input' | 'target'> {
  return {
    op: NAME,
    kind: 'loss',
    inputs: ['input', 'target'],
    differentiable: ['input', 'target'],
    passes: (call) => {
      const x = call.input();
      const target = call.input('target', x.shape);
      const { reduction, shape, perSample, args, gradient } = diceCall(call.options, [], x, target);
      const both = [x, target];
      const y = call.tensor('output', shape, x.dtype);
      const wanted = both.map((part) => call.wants(part.name));
      const backs = wanted.includes(true);
      const kept = ['half', 'size'].map((name) =>
        backs ? call.tensor(name, perSample, 'float32') : null,
      );
      const gradients = (
        pass: KernelPass,
        ends: readonly Part[],
        upstream: readonly Part[],
      ): void => {
        both.forEach((part, i) => {
          const other = both[1 - i];
          if (!wanted[i] || !other) return;
          const reads = [other, ...ends, ...upstream];
          pass.run(pointwisePlanner, gradient(upstream.length > 0), reads, [call.gradOf(part)]);
        });
      };
      const reduced = reduction !== 'none';
      return {
        forward: kernelPass(call, (pass) => {
          const ends = kept.map((part) => part ?? pass.temporary(perSample, 'float32'));
          pass.run(kernel, args, both, [y, ...ends]);
          if (reduced && call.fused) gradients(pass, ends, []);
        }),
        backward: backs
          ? kernelPass(call, (pass) => {
              const gradOutput = call.gradOf(y);
              const upstream = reduced ? gradOutput : seenAs(gradOutput, perSample);
              const ends = kept.filter((part) => part !== null);
              gradients(pass, ends, [upstream]);
            })
          : null,
      };
    },
  };
}

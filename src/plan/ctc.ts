// Plans of ctcLoss, whose lengths and labels only the GPU knows.
import { checkShapeIs } from '../core/validate.ts';
import { checkBoolean, checkOneOf } from '../core/validate-options.ts';
import { resolveParams } from '../define/params.ts';
import { REDUCTIONS, type Reduction } from '../define/reduction.ts';
import { ctc } from '../kernels/ctc/plan.ts';
import { CTC_SPECS, sequenceLayout } from '../losses/ctc-sequences.ts';
import { fusedPasses } from './fused.ts';
import type { KernelOp } from './types.ts';

/** Options of a plan of `ctcLoss`. */
export interface CtcKernelOptions {
  /** The class that means "no label". Defaults to 0. */
  readonly blank?: number;
  /** `'mean'` (default): each loss over its number of labels, averaged; `'sum'`; `'none'`: the loss of each. */
  readonly reduction?: Reduction;
  /** Whether sequences without a path have loss 0. Defaults to false. */
  readonly zeroInfinity?: boolean;
}

/** `ctcLoss` for `planOf`. The shape of `targets` has to be there: [N, S], or all labels in one dimension. */
export function ctcKernel(): KernelOp<
  CtcKernelOptions,
  'logProbs' | 'targets' | 'inputLengths' | 'targetLengths'
> {
  const name = 'ctcLoss';
  return {
    op: name,
    kind: 'loss',
    inputs: ['logProbs', 'targets', 'inputLengths', 'targetLengths'],
    differentiable: ['logProbs'],
    passes: (call) => {
      const { blank } = resolveParams(name, CTC_SPECS, ['reduction', 'zeroInfinity'], call.options);
      const { reduction = 'mean', zeroInfinity = false } = call.options;
      checkOneOf(name, 'reduction', reduction, REDUCTIONS);
      checkBoolean(name, 'zeroInfinity', zeroInfinity);
      const x = call.input();
      const targets = call.input('targets', undefined, ['int32']);
      const { single, padded: _padded, most, ...layout } = sequenceLayout(name, x, targets, blank);
      const { batch, steps } = layout;
      const lengths = (['inputLengths', 'targetLengths'] as const).map((input) => {
        const part = call.input(input, [batch], ['int32']);
        if (!(single && part.shape.length === 0)) checkShapeIs(name, input, part, [batch]);
        return part;
      });
      const args = { ...layout, longest: Math.min(most, steps), blank, zeroInfinity, reduction };
      return fusedPasses(call, {
        kernel: ctc,
        operands: [x, targets, ...lengths],
        differentiable: [x],
        shape: reduction !== 'none' || single ? [] : [batch],
        reduced: reduction !== 'none',
        args: (gradOutput, [grad = false]) => ({
          ...args,
          gradOutput,
          outputs: { loss: !gradOutput, grad },
        }),
      });
    },
  };
}

// The Dice loss of each sample, or their mean or sum, with gradients.
import { planGradients, recordFused } from '../define/fused-gradient.ts';
import { lossModule } from '../define/module.ts';
import { defineOp } from '../define/op.ts';
import { defaultsOf } from '../define/params.ts';
import { warmUp } from '../define/prepare.ts';
import { REDUCTIONS, type Reduction } from '../define/reduction.ts';
import { run, runOne } from '../core/dispatcher.ts';
import { diceKernel } from '../kernels/dice/plan.ts';
import { pointwise } from '../kernels/pointwise/plan.ts';
import { view } from '../kernels/reduce/sum-to.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkOut, checkTensors } from '../core/validate.ts';
import { checkIsOptions } from '../core/validate-options.ts';
import { diceCall, NAME, SPECS } from './dice-samples.ts';

/** Options of `diceLoss`. */
export interface DiceLossOptions {
  /** Added to numerator and denominator, so that an empty sample does not give 0 / 0. Defaults to 1. */
  eps?: number;
  /** `'mean'` (default) over samples, `'sum'`, or `'none'` for the loss of each sample. */
  reduction?: Reduction;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

function dice(input: Tensor, target: Tensor, options: DiceLossOptions = {}): Tensor {
  checkIsOptions(NAME, options);
  const device = checkTensors(NAME, { input, target });
  const call = diceCall(options, ['out'], input, target);
  const { reduction, args, gradient } = call;
  const { out } = options;
  const { shape, dtype } = input;
  const reduced = reduction !== 'none';
  const both = [input, target];
  const plan = planGradients(both, reduction);
  const like = { device, dtype, shape: call.shape };
  checkOut(NAME, out, like, plan.recording);

  const perSample = { shape: call.perSample, dtype: 'float32' } as const;
  const [output, half, size] = run(diceKernel, args, both, [out ?? like, perSample, perSample]) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  /** The wanted gradients of input and target, from the tensors input, target, half and size. */
  const gradients = (
    [p, t, ...ends]: readonly Tensor[],
    wanted: readonly boolean[],
    gradOutput?: Tensor,
  ): Tensor[] => {
    const upstream = gradOutput && !reduced ? view(gradOutput, perSample.shape) : gradOutput;
    const grads = [t, p].flatMap((other, i) =>
      other && wanted[i]
        ? runOne(
            pointwise,
            gradient(upstream !== undefined),
            [other, ...ends, ...(upstream ? [upstream] : [])],
            { shape, dtype },
          )
        : [],
    );
    if (upstream !== gradOutput) upstream?.dispose();
    return grads;
  };
  return recordFused({
    op: NAME,
    inputs: both,
    plan,
    operands: both,
    outputs: [output, ...gradients([...both, half, size], plan.fused), half, size],
    backward: (saved, gradOutput) => gradients(saved, plan.needs, gradOutput),
  });
}

/**
 * Dice loss of probabilities and targets of the same shape [N, …]: per sample 1 - (2 Σ input · target + eps) /
 * (Σ input + Σ target + eps), the sums over every dimension but the first; a vector is one sample. Averaged over samples
 * by default. Options: `eps` (1, at least 0), `reduction`.
 *
 * @example diceLoss(sigmoid(x), mask)
 */
export const diceLoss = /* @__PURE__ */ defineOp(dice, {
  op: NAME,
  kind: 'loss',
  params: /* @__PURE__ */ defaultsOf(SPECS),
  specs: SPECS,
  reductions: REDUCTIONS,
  prepare: (device, dtype) => {
    for (const reduction of REDUCTIONS) {
      warmUp(device, dtype, [[1, 1]], (input) => dice(input, input.detach(), { reduction }));
    }
    warmUp(device, dtype, [[1, 1024]], (input) => dice(input, input.detach()));
  },
  accuracy: { forward: 8, backward: 8 },
  docs: {
    tex: String.raw`1 - \frac{2 \sum x y + \varepsilon}{\sum x + \sum y + \varepsilon}`,
    derivative: String.raw`\frac{1}{S} \left(\frac{2 \sum x y + \varepsilon}{S} - 2 y\right)\quad S = \sum x + \sum y + \varepsilon`,
    range: '[0, 1)',
    shapes:
      'input and target of the same shape [N, …]; result: a scalar, or [N] with reduction `none`',
    cite: 'Milletari, Navab & Ahmadi 2016, V-Net; Dice 1945',
    use: 'For segmentation with a small foreground: it measures the overlap, not the share of correct pixels. It takes probabilities. It is almost flat while nothing overlaps, and noisy for tiny objects, so it is often added to a cross-entropy.',
  },
});

/** `diceLoss` as a module. */
export class DiceLoss extends /* @__PURE__ */ lossModule(diceLoss) {}

// The Dice loss of each sample, or their mean or sum, with gradients.
import { sameShapes } from '../define/arrange.ts';
import { planGradients, recordFused } from '../define/fused-gradient.ts';
import { lossModule } from '../define/module.ts';
import { defineOp } from '../define/op.ts';
import { defaultsOf, resolveParams } from '../define/params.ts';
import { warmUp } from '../define/prepare.ts';
import { REDUCTIONS, type Reduction } from '../define/reduction.ts';
import { run, runOne } from '../core/dispatcher.ts';
import { div } from '../shader/lib.ts';
import { source } from '../shader/link.ts';
import { diceKernel } from '../kernels/dice/plan.ts';
import { pointwise, type PointwiseOp } from '../kernels/pointwise/plan.ts';
import { view } from '../kernels/reduce/sum-to.ts';
import { sizeOf } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkOut, checkTensors } from '../core/validate.ts';
import { checkOneOf } from '../core/validate-options.ts';

/** Options of `diceLoss`. */
export interface DiceLossOptions {
  /** Added to numerator and denominator, so that an empty sample does not give 0 / 0. Defaults to 1. */
  eps?: number;
  /** `'mean'` (default) over samples, `'sum'`, or `'none'` for the loss of each sample. */
  reduction?: Reduction;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

const NAME = 'diceLoss';
const SPECS = { eps: { default: 1, min: 0 } } as const;

/** The gradient of one input, from the other input: 2 (half - other) / size, times gradOutput. */
const gradientOp: PointwiseOp = {
  name: NAME,
  params: { names: [] },
  source: /* @__PURE__ */ source('diceLoss.wgsl', '//#include "lib/div.wgsl"\n', [div]),
  inputs: ['other', 'half', 'size', 'grad_output'],
  results: 1,
  body: '  return Results(nl_divide(half - other, size) * (2.0 * grad_output * u.scale));',
  reference: ([other = NaN, half = NaN, size = NaN, gradOutput = NaN], r, _p, _i, scale) => {
    r[0] = ((half - other) / size) * 2 * gradOutput * scale;
  },
};
/** The same gradient for an upstream gradient of 1. */
const fusedOp: PointwiseOp = {
  ...gradientOp,
  inputs: ['other', 'half', 'size'],
  body: '  return Results(nl_divide(half - other, size) * (2.0 * u.scale));',
  reference: ([other = NaN, half = NaN, size = NaN], r, _p, _i, scale) => {
    r[0] = ((half - other) / size) * 2 * scale;
  },
};

function dice(input: Tensor, target: Tensor, options: DiceLossOptions = {}): Tensor {
  const { eps } = resolveParams(NAME, SPECS, ['reduction', 'out'], options);
  const { reduction = REDUCTIONS[0], out } = options;
  checkOneOf(NAME, 'reduction', reduction, REDUCTIONS);
  const device = checkTensors(NAME, { input, target });
  sameShapes(NAME, [input.shape, target.shape]);
  const { shape, dtype } = input;
  // A vector is a single sample.
  const samples = shape.length > 1 ? shape.slice(0, 1) : [];
  const [rows, n] = [sizeOf(samples), sizeOf(shape.slice(samples.length))];
  const reduced = reduction !== 'none';
  const both = [input, target];
  const plan = planGradients(both, reduction);
  const like = { device, dtype, shape: reduced ? [] : samples };
  checkOut(NAME, out, like, plan.recording);

  const divisor = reduction === 'mean' ? rows : 1;
  const perRow = {
    shape: [...samples, ...shape.slice(samples.length).map(() => 1)],
    dtype: 'float32',
  } as const;
  const [output, half, size] = run(
    diceKernel,
    { rows, n, eps, ...(reduced ? { sum: divisor } : {}) },
    both,
    [out ?? like, perRow, perRow],
  ) as [Tensor, Tensor, Tensor];
  /** The wanted gradients of input and target, from the tensors input, target, half and size. */
  const gradients = (
    [p, t, ...ends]: readonly Tensor[],
    wanted: readonly boolean[],
    gradOutput?: Tensor,
  ): Tensor[] => {
    const upstream = gradOutput && !reduced ? view(gradOutput, perRow.shape) : gradOutput;
    const args = { op: upstream ? gradientOp : fusedOp, params: {}, shape, scale: 1 / divisor };
    const grads = [t, p].flatMap((other, i) =>
      other && wanted[i]
        ? runOne(pointwise, args, [other, ...ends, ...(upstream ? [upstream] : [])], {
            shape,
            dtype,
          })
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

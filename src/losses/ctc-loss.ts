import { likesOf, planGradients, recordFused } from '../define/fused-gradient.ts';
import { REDUCTIONS, type Reduction } from '../define/reduction.ts';
import { optionsFor } from '../define/module.ts';
import { defineOp } from '../define/op.ts';
import { defaultsOf, resolveParams } from '../define/params.ts';
import { warmUp } from '../define/prepare.ts';
import { run } from '../core/dispatcher.ts';
import { encode } from '../core/dtype.ts';
import { ctc } from '../kernels/ctc/plan.ts';
import type { CtcArgs } from '../kernels/ctc/args.ts';
import { Module } from '../nn/module.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import { checkOut } from '../core/validate.ts';
import { checkBoolean, checkOneOf } from '../core/validate-options.ts';
import { checkSequences, CTC_SPECS, type CtcLengths } from './ctc-sequences.ts';

/** Options of `ctcLoss`. */
export interface CtcLossOptions {
  /** The class that means "no label". Defaults to 0. */
  blank?: number;
  /** `'mean'` (default): each loss over its number of labels (at least 1), averaged; `'sum'`; `'none'`: one loss per element. */
  reduction?: Reduction;
  /**
   * Whether sequences without a path have loss 0. A sequence has no path if its labels need more steps than there
   * are. Defaults to false.
   */
  zeroInfinity?: boolean;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

const NAME = 'ctcLoss';
const specs = CTC_SPECS;

function apply(
  logProbs: Tensor,
  targets: Tensor,
  inputLengths: CtcLengths,
  targetLengths: CtcLengths,
  options: CtcLossOptions = {},
): Tensor {
  const { blank } = resolveParams(NAME, specs, ['reduction', 'zeroInfinity', 'out'], options);
  const { reduction = 'mean', zeroInfinity = false, out } = options;
  checkOneOf(NAME, 'reduction', reduction, REDUCTIONS);
  checkBoolean(NAME, 'zeroInfinity', zeroInfinity);
  const layout = checkSequences(NAME, logProbs, targets, inputLengths, targetLengths, blank);
  const { device, dtype } = logProbs;
  const plan = planGradients([logProbs], reduction);
  const shape = reduction !== 'none' || logProbs.rank === 2 ? [] : [layout.batch];
  checkOut(NAME, out, { device, dtype, shape }, plan.recording);

  const lengths = [inputLengths, targetLengths].map((given) =>
    'dtype' in given
      ? given.detach()
      : fromHost(encode('int32', given), [given.length], 'int32', device),
  );
  const operands = [logProbs, targets, ...lengths];
  const args = { ...layout, blank, zeroInfinity, reduction };
  const [fused = false] = plan.fused;
  const forward: CtcArgs = { ...args, gradOutput: false, outputs: { loss: true, grad: fused } };
  const backward: CtcArgs = { ...args, gradOutput: true, outputs: { loss: false, grad: true } };
  const loss = recordFused({
    op: NAME,
    inputs: [logProbs],
    plan,
    operands,
    outputs: run(ctc, forward, operands, [
      out ?? { shape, dtype },
      ...likesOf(operands, plan.fused),
    ]),
    backward: (saved, gradOutput) =>
      run(ctc, backward, [...saved, gradOutput], likesOf(saved, plan.needs)),
  });
  for (const tensor of lengths) tensor.dispose();
  return loss;
}

/**
 * Connectionist temporal classification: the negative log-probability of label sequences, summed over all alignments.
 *
 * `logProbs` [T, N, C] (or [T, C] for one) come out of `logSoftmax`: the gradient is that of the logits behind it, as in
 * PyTorch. `targets` are int32 labels [N, S], padded, or one sequence after another. `inputLengths` and `targetLengths`
 * [N] are int32 tensors or arrays of numbers. Options: `blank` (0), `reduction` ('mean'), `zeroInfinity` (false).
 *
 * @example ctcLoss(logSoftmax(x, { dim: 2 }), targets, inputLengths, targetLengths)
 */
export const ctcLoss = /* @__PURE__ */ defineOp(apply, {
  op: NAME,
  kind: 'loss',
  params: /* @__PURE__ */ defaultsOf(specs),
  specs,
  // In ULP of the loss, and of the posterior probabilities, which are at most 1. Measured: 1, and 8 after 150 steps,
  // 27 after 500.
  accuracy: { forward: 4, backward: 32 },
  docs: {
    tex: String.raw`-\log \sum_{\pi : \mathcal{B}(\pi) = l} \prod_t e^{y_t(\pi_t)}`,
    derivative: String.raw`e^{y_t(c)} - P(\pi_t = c \mid l)`,
    range: String.raw`[0, \infty]`,
    shapes:
      'logProbs [T, N, C] or [T, C], targets (int32) [N, S] or all together [sum of lengths], inputLengths and targetLengths [N] or scalars; result: a scalar, or [N] with reduction `none`',
    torch: 'ctc_loss',
    cite: 'Graves, Fernández, Gomez & Schmidhuber 2006, Connectionist Temporal Classification',
    use: 'For sequences whose labels are in order but not aligned with the input, as in speech and handwriting. The input needs at least one step for each label, and one more between two equal labels; with fewer steps the loss is infinite, or 0 with zeroInfinity. It treats steps as independent. Models trained with it often predict blanks with a few short peaks.',
  },
  prepare: (device, dtype) => {
    const targets = fromHost(encode('int32', [1]), [1, 1], 'int32', device);
    for (const reduction of ['mean', 'none'] as const) {
      warmUp(device, dtype, [[2, 1, 2]], (logProbs) => {
        apply(logProbs.detach(), targets, [2], [1], { reduction });
        return apply(logProbs, targets, [2], [1], { reduction });
      });
    }
  },
});

/** `ctcLoss` as a module. */
export class CTCLoss extends Module {
  readonly #options: CtcLossOptions;

  constructor(options: Omit<CtcLossOptions, 'out'>) {
    super();
    this.#options = optionsFor('CTCLoss', options);
  }

  override forward(
    logProbs: Tensor,
    targets: Tensor,
    inputLengths: CtcLengths,
    targetLengths: CtcLengths,
  ): Tensor {
    return ctcLoss(logProbs, targets, inputLengths, targetLengths, this.#options);
  }
}

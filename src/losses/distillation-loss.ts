// The divergence of a student's class probabilities from a teacher's, both softened by a temperature.
import wgsl from '../../shaders/losses/distillation.wgsl?raw';
import { noGrad, record } from '../core/autograd.ts';
import { runOne } from '../core/dispatcher.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkOut, checkRank, checkShapeIs, checkTensors } from '../core/validate.ts';
import { checkOneOf } from '../core/validate-options.ts';
import { isRecording } from '../core/autograd.ts';
import { gradientsInBackward, gradientsInForward } from '../define/in-forward.ts';
import { lossModule } from '../define/module.ts';
import { defineOp } from '../define/op.ts';
import { defaultsOf, resolveParams } from '../define/params.ts';
import type { AnyReduction } from '../define/reduction.ts';
import { warmUp } from '../define/prepare.ts';
import { pointwise, type PointwiseOp } from '../kernels/pointwise/plan.ts';
import { logSoftmax } from '../rowwise/log-softmax.ts';
import { softmax } from '../rowwise/softmax.ts';
import { bits } from '../shader/lib.ts';
import { source } from '../shader/link.ts';

const NAME = 'distillationLoss';
const SPECS = { temperature: { default: 1, min: 0, above: true } } as const;
const REDUCTIONS: readonly AnyReduction[] = ['batchmean', 'mean', 'sum', 'none'];

/** Options of `distillationLoss`. */
export interface DistillationLossOptions {
  /** Above 0: both logits are divided by it, and the loss is multiplied by its square. Defaults to 1. */
  temperature?: number;
  /** `'batchmean'` (default): the sum over the first dimension; `'mean'` over all elements; `'sum'`; `'none'`. */
  reduction?: AnyReduction;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
}

const common = {
  name: NAME,
  source: /* @__PURE__ */ source('losses/distillation.wgsl', wgsl, [bits]),
  params: { names: ['factor'] },
  results: 1,
};
const divergence: PointwiseOp = {
  ...common,
  inputs: ['log_q', 'log_p', 'share'],
  body: '  return Results(divergence(log_q, log_p, share, p.factor));',
  reference: ([logQ = NaN, logP = NaN, share = NaN], r, { factor = 1 }) => {
    const difference = logP - logQ;
    const term = Math.abs(difference) === Infinity ? difference : share * difference * factor;
    r[0] = logP < -745 ? 0 : term;
  },
};
const gradient: PointwiseOp = {
  ...common,
  inputs: ['share', 'grad_output'],
  body: '  return Results(divergence_grad(share, grad_output * p.factor));',
  reference: ([share = NaN, gradOutput = NaN], r, { factor = 1 }) => {
    r[0] = share === 0 ? 0 : -share * gradOutput * factor;
  },
};

function apply(
  studentLogits: Tensor,
  teacherLogits: Tensor,
  options: DistillationLossOptions = {},
): Tensor {
  const { temperature } = resolveParams(NAME, SPECS, ['reduction', 'out'], options);
  const { reduction = 'batchmean', out } = options;
  checkOneOf(NAME, 'reduction', reduction, REDUCTIONS);
  const device = checkTensors(NAME, { studentLogits, teacherLogits });
  checkShapeIs(NAME, 'teacherLogits', teacherLogits, studentLogits.shape);
  checkRank(NAME, { studentLogits }, 1);
  const { shape, size, dtype } = studentLogits;
  const reduced = reduction !== 'none';
  const recording = isRecording([studentLogits]);
  const like = { device, dtype, shape: reduced ? [] : shape };
  checkOut(NAME, out, like, recording);
  const rows = shape.length > 1 ? (shape[0] ?? 1) : 1;
  const divisor = { batchmean: rows, mean: size, sum: 1, none: 1 }[reduction];
  const factor = temperature * temperature;
  const softened = { dim: -1, scale: 1 / temperature };

  const compute = ([student]: readonly Tensor[], [teacher]: readonly Tensor[]): [Tensor] => {
    if (!student || !teacher) throw new RangeError('two tensors');
    const logQ = logSoftmax.into(student, softened, 'float32');
    // Both, as the exponential of a rounded logarithm would be off by as many ULP as the logarithm is large.
    const logP = noGrad(() => logSoftmax.into(teacher, softened, 'float32'));
    const p = noGrad(() => softmax.into(teacher, softened, 'float32'));
    const sum = reduced ? { sum: divisor } : {};
    const loss = runOne(
      pointwise,
      { op: divergence, params: { factor }, shape, ...sum },
      [logQ, logP, p],
      recording ? like : (out ?? like),
    );
    const recorded = record(loss, NAME, [logQ], [p], (upstream, saved) => [
      runOne(
        pointwise,
        { op: gradient, params: { factor: factor / divisor }, shape },
        [...saved, upstream.tensor],
        { shape, dtype: 'float32' },
      ),
    ]);
    logQ.dispose();
    logP.dispose();
    p.dispose();
    return [recorded];
  };
  const composed = {
    op: NAME,
    inputs: [studentLogits],
    constants: [teacherLogits],
    compute,
  };
  if (reduced) return gradientsInForward(composed)[0];
  const [result] = noGrad(() => compute([studentLogits], [teacherLogits]));
  return recording ? gradientsInBackward(result, composed) : result;
}

/**
 * Distillation loss of logits [N, C]: T² Σ p (log p - log q), where p and q are the softmax over the last dimension of the
 * teacher's and the student's logits, each divided by the temperature T; 0 where p is 0. Per example by default
 * (`'batchmean'`). The teacher has no gradient.
 *
 * @example distillationLoss(student.forward(x), teacher.forward(x), { temperature: 2 })
 */
export const distillationLoss = /* @__PURE__ */ defineOp(apply, {
  op: NAME,
  kind: 'loss',
  params: /* @__PURE__ */ defaultsOf(SPECS),
  specs: SPECS,
  reductions: REDUCTIONS,
  accuracy: { forward: 8, backward: 8 },
  docs: {
    tex: String.raw`T^2 \sum_c p_c (\log p_c - \log q_c), \quad p = \mathrm{softmax}(y / T), \; q = \mathrm{softmax}(x / T)`,
    derivative: String.raw`T (q - p)`,
    range: String.raw`[0, \infty)`,
    shapes:
      'studentLogits and teacherLogits of the same shape [N, …, C]; result: a scalar, or their shape with reduction `none`',
    cite: 'Hinton, Vinyals & Dean 2015, Distilling the Knowledge in a Neural Network',
    use: 'Trains a small model to give the probabilities of a large one. A temperature of 2 to 5 makes the small probabilities visible to it. The loss is multiplied by the square of the temperature, so that gradients keep their size.',
  },
  prepare: (device, dtype) => {
    for (const reduction of REDUCTIONS) {
      warmUp(device, dtype, [[1, 2]], (x) => apply(x, x.detach(), { reduction }));
    }
  },
});

/** `distillationLoss` as a module. */
export class DistillationLoss extends /* @__PURE__ */ lossModule(distillationLoss) {}

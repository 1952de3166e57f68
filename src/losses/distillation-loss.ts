// The divergence of a student's class probabilities from a teacher's, both softened by a temperature.
import wgsl from '../../shaders/losses/distillation.wgsl?raw';
import { isRecording, noGrad } from '../core/autograd.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkOut, checkRank, checkShapeIs, checkTensors } from '../core/validate.ts';
import { checkOneOf } from '../core/validate-options.ts';
import { recordComposed } from '../define/in-forward.ts';
import { lossModule } from '../define/module.ts';
import { defineOp } from '../define/op.ts';
import { defaultsOf, resolveParams } from '../define/params.ts';
import type { AnyReduction } from '../define/reduction.ts';
import { warmUp } from '../define/prepare.ts';
import { defineTerms } from '../define/terms.ts';
import { logSoftmax } from '../rowwise/log-softmax.ts';
import { softmax } from '../rowwise/softmax.ts';
import { bits } from '../shader/lib.ts';

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

const divergence = /* @__PURE__ */ defineTerms({
  name: NAME,
  wgsl,
  includes: [bits],
  params: { names: ['factor'] },
  inputs: ['logQ', 'logP', 'share'],
  forward: ([logQ = NaN, logP = NaN, share = NaN], { factor = 1 }) => {
    const difference = logP - logQ;
    const term = Math.abs(difference) === Infinity ? difference : share * difference * factor;
    return logP < -745 ? 0 : term;
  },
  backward: ([, , share = NaN], gradOutput, { factor = 1 }) =>
    share === 0 ? 0 : -share * gradOutput * factor,
});

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
  const like = { device, dtype, shape: reduced ? [] : shape };
  checkOut(NAME, out, like, isRecording([studentLogits]));
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
    const loss = divergence({
      params: { factor },
      tensors: [logQ, logP, p],
      over: reduced ? 'all' : 'none',
      divisor,
      to: out ?? like,
    });
    for (const tensor of [logQ, logP, p]) tensor.dispose();
    return [loss];
  };
  const [inputs, constants] = [[studentLogits], [teacherLogits]];
  return recordComposed({ op: NAME, inputs, constants, compute }, reduced);
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

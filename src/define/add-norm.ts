// Makes the norm of a sum from a norm: a residual stream and its norm in one kernel. The sum is rounded as it is stored, so that
// both are the bits of an addition and the norm behind it.
import { isRecording, record } from '../core/autograd.ts';
import { calling } from '../core/calling.ts';
import { run } from '../core/dispatcher.ts';
import { sizeOf } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkShapeIs, checkTensors } from '../core/validate.ts';
import { KEPT, type NormForward } from '../kernels/norm/args.ts';
import { normKernel } from '../kernels/norm/plan.ts';
import { checkNormalizedShape } from './norm-call.ts';
import type { Norm, NormOptions } from './norm.ts';
import { resolveParams } from './params.ts';

/** What `addLayerNorm` and `addRmsNorm` give. */
export interface SumAndNorm {
  /** The norm of the sum. */
  readonly output: Tensor;
  /** x + residual. */
  readonly sum: Tensor;
}

/** The norm of the sum of a tensor and its residual, in one kernel. */
export type AddNorm<O extends string> = (
  x: Tensor,
  residual: Tensor,
  normalizedShape: readonly number[],
  options?: Omit<NormOptions<O>, 'out'>,
) => SumAndNorm;

export function addNorm<O extends string>(name: string, norm: Norm<O>): AddNorm<O> {
  const { rows: op } = norm;
  return (x, residual, normalizedShape, options = {} as Omit<NormOptions<O>, 'out'>) =>
    calling(name, () => {
      const specs = norm.specs ?? {};
      const names = op.operands.map((operand) => operand.name);
      const { eps = 0 } = resolveParams(name, specs, names, options) as { eps?: number };
      const values = options as Readonly<Record<string, Tensor | null | undefined>>;
      const operands = names.map((operand) => values[operand] ?? null);
      const given = operands.flatMap((tensor) => (tensor ? [tensor] : []));
      const named = names.flatMap((operand, i): [string, Tensor][] => {
        const tensor = operands[i];
        return tensor ? [[operand, tensor]] : [];
      });
      checkTensors(name, { x, residual, ...Object.fromEntries(named) });
      checkShapeIs(name, 'residual', residual, x.shape);
      checkNormalizedShape(name, x, normalizedShape);
      for (const [operand, tensor] of named) checkShapeIs(name, operand, tensor, normalizedShape);
      const n = sizeOf(normalizedShape);
      const outer = sizeOf(x.shape.slice(0, x.rank - normalizedShape.length));
      const has = operands.map(Boolean);
      const common = { op, layout: { outer, n, inner: 1, span: n }, eps };
      const recording = isRecording([x, residual, ...given]);
      const adds = x.dtype === 'float16' ? 'float16' : 'float32';
      const args: NormForward = { ...common, direction: 'forward', has, keeps: recording, adds };
      const statistics = recording ? [{ shape: [outer, KEPT], dtype: 'float32' as const }] : [];
      const inputs = [x, residual, ...given];
      const results = run(normKernel, args, inputs, [x.like(), x.like(), ...statistics]);
      const [normed, total = normed, kept] = results;
      if (!kept) return { output: normed, sum: total };
      const sum = record(total, name, [x, residual], [], ({ tensor }, _, needs) =>
        needs.map((need) => (need ? tensor.detach() : null)),
      );
      const output = recordNorm(name, normed, sum, kept, common, operands);
      kept.dispose();
      return { output, sum };
    });
}

/** The norm as a recorded op on the sum. A function of its own, as the gradient's may not hold on to the call's tensors. */
function recordNorm(
  name: string,
  output: Tensor,
  sum: Tensor,
  kept: Tensor,
  common: Pick<NormForward, 'op' | 'layout' | 'eps'>,
  operands: readonly (Tensor | null)[],
): Tensor {
  const saves = common.op.operands.map(({ saved }, i) => saved && operands[i] !== null);
  const inputs = [sum, ...operands.flatMap((tensor) => (tensor ? [tensor] : []))];
  const likes = inputs.map((input) => input.like());
  const saved = [sum, kept, ...operands.flatMap((one, i) => (one && saves[i] ? [one] : []))];
  let next = 1;
  const places = operands.map((tensor) => (tensor ? next++ : -1));
  return record(output, name, inputs, saved, ({ tensor }, all, needs) => {
    const wants = { x: needs[0] ?? false, operands: places.map((i) => needs[i] ?? false) };
    const args = { ...common, direction: 'backward' as const, has: saves, wants };
    const wanted = likes.filter((_, i) => needs[i]);
    const grads = run(normKernel, args, [...all, tensor], wanted);
    let at = 0;
    return needs.map((need) => (need ? (grads[at++] ?? null) : null));
  });
}

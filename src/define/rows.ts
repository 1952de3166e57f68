// Runs an op over rows and records it for its gradient, for all declared row ops: which tensors are saved, in which dtype,
// and which gradients are computed. The arguments are checked before.
import { isRecording, record } from '../core/autograd.ts';
import { run } from '../core/dispatcher.ts';
import type { FloatDType } from '../core/dtype.ts';
import type { Kernel } from '../core/kernel.ts';
import { castTo } from '../kernels/pointwise/basic.ts';
import type { Shape } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkOut } from '../core/validate.ts';

export interface RowsCall<A> {
  readonly op: string;
  readonly kernel: Kernel<A>;
  /** The inputs of the forward direction, which may get gradients: x, whose shape the result has, then the operands. */
  readonly inputs: readonly [x: Tensor, ...operands: Tensor[]];
  /** Inputs of the forward direction behind x that no gradient is for. */
  readonly constants?: readonly Tensor[];
  /** What the backward direction reads behind all else that is saved. */
  readonly keeps?: readonly Tensor[];
  /** Further outputs of the forward direction, behind all others, float32 of this shape each; `take` disposes them. */
  readonly also?: {
    readonly shapes: readonly Shape[];
    readonly take: (tensors: readonly Tensor[]) => void;
  };
  readonly out: Tensor | undefined;
  /** The dtype of the result. Defaults to that of x. */
  readonly dtype?: FloatDType | undefined;
  /**
   * What the gradient is computed from. It is either the result, or the inputs with these indices (x is one of them) and the
   * statistics of the rows, a tensor of this shape that the forward direction writes as its second output.
   */
  readonly saves: 'result' | { readonly inputs: readonly number[]; readonly statistics: Shape };
  /** `keeps` says whether the statistics are written. */
  readonly forward: (keeps: boolean) => A;
  /** Its inputs are the saved tensors (x, the statistics, the other inputs) and the upstream gradient; its outputs are the gradients that are needed. */
  readonly backward: (needs: readonly boolean[]) => A;
}

/** The result of a call. Saved tensors that are not inputs are float32. Each float16 result is rounded once. */
export function callRows<A>(call: RowsCall<A>): Tensor {
  const { op, kernel, inputs, out, saves, forward, backward, constants = [], also } = call;
  const [x, ...operands] = inputs;
  const given = [x, ...constants, ...operands];
  const further = (also?.shapes ?? []).map((shape) => ({ shape, dtype: 'float32' as const }));
  const { shape, device } = x;
  const { dtype = x.dtype } = call;
  const recording = isRecording(inputs);
  checkOut(op, out, { shape, dtype, device }, recording);
  if (!recording) {
    const [output, ...more] = run(kernel, forward(false), given, [
      out ?? { shape, dtype },
      ...further,
    ]);
    also?.take(more);
    return output;
  }
  const fromResult = saves === 'result';
  const [result, ...others] = run(kernel, forward(true), given, [
    { shape, dtype: fromResult ? 'float32' : dtype },
    ...(fromResult ? [] : [{ shape: saves.statistics, dtype: 'float32' as const }]),
    ...further,
  ]);
  const statistics = others.slice(0, others.length - further.length);
  also?.take(others.slice(statistics.length));
  const output = result.dtype === dtype ? result : castTo(result, dtype);
  const [first, ...rest] = fromResult ? [result] : saves.inputs.flatMap((i) => inputs[i] ?? []);
  const likes = inputs.map((input) => input.like());
  const saved = [...(first ? [first] : []), ...statistics, ...rest, ...(call.keeps ?? [])];
  const recorded = record(output, op, inputs, saved, (upstream, all, needs) => {
    const wanted = likes.filter((_, i) => needs[i]);
    const grads = run(kernel, backward(needs), [...all, upstream.tensor], wanted);
    let next = 0;
    return needs.map((need) => (need ? (grads[next++] ?? null) : null));
  });
  if (output !== result) result.dispose();
  for (const tensor of statistics) tensor.dispose();
  return recorded;
}

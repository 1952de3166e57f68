// Runs and records an op over rows, for all that are declared: what is kept for the gradient, in which dtype, and which
// gradients are computed. Arguments are valid by now.
import { isRecording, record } from '../core/autograd.ts';
import { run, runOne } from '../core/dispatcher.ts';
import type { FloatDType } from '../core/dtype.ts';
import type { Kernel } from '../core/kernel.ts';
import { castTo } from '../kernels/pointwise/basic.ts';
import type { Shape } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkOut } from '../core/validate.ts';

export interface RowsCall<A> {
  readonly op: string;
  readonly kernel: Kernel<A>;
  /** What gradients are for: x, of whose shape the result is, then other operands. The inputs of the forward direction. */
  readonly inputs: readonly [x: Tensor, ...operands: Tensor[]];
  readonly out: Tensor | undefined;
  /** Of the result; by default that of x. */
  readonly dtype?: FloatDType | undefined;
  /**
   * What the gradient is computed from: the result, or else the inputs that are named by index, x among them, and a
   * tensor of numbers of each row, of this shape, which the forward direction writes after the result.
   */
  readonly saves: 'result' | { readonly inputs: readonly number[]; readonly statistics: Shape };
  /** `keeps`: whether the statistics are written. */
  readonly forward: (keeps: boolean) => A;
  /** Inputs: what is saved (x, the statistics, the other inputs), then the upstream gradient; outputs: the gradients needed. */
  readonly backward: (needs: readonly boolean[]) => A;
}

/** The result of a call. What is saved is float32 but for the inputs, and each float16 result is rounded once. */
export function callRows<A>(call: RowsCall<A>): Tensor {
  const { op, kernel, inputs, out, saves, forward, backward } = call;
  const [x] = inputs;
  const { shape, device } = x;
  const { dtype = x.dtype } = call;
  const recording = isRecording(inputs);
  checkOut(op, out, { shape, dtype, device }, recording);
  if (!recording) return runOne(kernel, forward(false), inputs, out ?? { shape, dtype });
  const fromResult = saves === 'result';
  const [result, ...statistics] = run(kernel, forward(true), inputs, [
    { shape, dtype: fromResult ? 'float32' : dtype },
    ...(fromResult ? [] : [{ shape: saves.statistics, dtype: 'float32' as const }]),
  ]);
  const output = result.dtype === dtype ? result : castTo(result, dtype);
  const [first, ...others] = fromResult ? [result] : saves.inputs.flatMap((i) => inputs[i] ?? []);
  const likes = inputs.map((input) => input.like());
  const saved = [...(first ? [first] : []), ...statistics, ...others];
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

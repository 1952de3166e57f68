// A loss that is reduced to a scalar nearly always has an upstream gradient of 1. The forward pass therefore writes
// its gradients already, and backward() returns them without a launch. This file decides when this is done, and
// saves, returns and disposes the gradients. A loss only says how its kernels are called.
import { isRecording, record } from '../core/autograd.ts';
import type { Tensor } from '../core/tensor.ts';

/** Which gradients of a loss are needed, and which of them the forward pass writes. */
export interface GradientPlan {
  /** Whether the call is recorded. */
  readonly recording: boolean;
  /** For each input, whether it needs a gradient. */
  readonly needs: readonly boolean[];
  /**
   * For each input, whether the forward pass writes its gradient. It does if the gradient is needed and the loss is
   * reduced.
   */
  readonly fused: readonly boolean[];
}

export function planGradients(inputs: readonly Tensor[], reduction: string): GradientPlan {
  const recording = isRecording(inputs);
  const needs = inputs.map((input) => recording && input.requiresGrad);
  return { recording, needs, fused: needs.map((need) => need && reduction !== 'none') };
}

/**
 * Shapes and dtypes for the gradients of those tensors whose gradient is wanted. Tensors that have a gradient come
 * first.
 */
export function likesOf(
  tensors: readonly Tensor[],
  wanted: readonly boolean[],
): ReturnType<Tensor['like']>[] {
  return tensors.filter((_, i) => wanted[i]).map((tensor) => tensor.like());
}

export interface FusedCall {
  readonly op: string;
  /** The inputs that can have a gradient. */
  readonly inputs: readonly Tensor[];
  readonly plan: GradientPlan;
  /** Tensors that the backward pass reads. They come first in `saved`. */
  readonly operands: readonly Tensor[];
  /**
   * The loss, the gradients that the forward pass wrote, and other tensors that the backward pass reads, which come
   * last in `saved`. All of them except the loss are disposed here.
   */
  readonly outputs: readonly [Tensor, ...Tensor[]];
  /**
   * Computes the gradients that are needed, in the order of the inputs, for an upstream gradient other than 1. It
   * must not refer to tensors of the call, because these would then live as long as the graph. `fused` are the
   * gradients for an upstream gradient of 1.
   */
  readonly backward: (
    saved: readonly Tensor[],
    gradOutput: Tensor,
    fused: readonly Tensor[],
  ) => readonly Tensor[];
}

/** Records a loss, and returns it. */
export function recordFused(call: FusedCall): Tensor {
  const { op, inputs, plan, operands, outputs, backward } = call;
  const { needs } = plan;
  const [loss, ...others] = outputs;
  const count = plan.fused.filter(Boolean).length;
  const saved = [...others.slice(0, count), ...operands, ...others.slice(count)];
  record(loss, op, inputs, saved, (upstream, all) => {
    const fused = all.slice(0, count);
    const grads =
      count > 0 && upstream.isOne
        ? fused.map((grad) => grad.detach())
        : backward(all.slice(count), upstream.tensor, fused);
    let next = 0;
    return needs.map((need) => (need ? (grads[next++] ?? null) : null));
  });
  for (const tensor of others) tensor.dispose();
  return loss;
}

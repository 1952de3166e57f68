// A loss that is reduced to a scalar nearly always gets an upstream gradient of 1. Its gradients are therefore written in
// the forward pass, and backward() hands them over without a launch. This file decides when, and saves, hands over and
// disposes them; a loss says only how its kernels are called.
import { isRecording, record } from '../core/autograd.ts';
import type { Tensor } from '../core/tensor.ts';

/** Which gradients a call of a loss records, needs, and writes already in its forward pass. */
export interface GradientPlan {
  /** Whether the call is recorded. */
  readonly recording: boolean;
  /** For each input, whether it needs a gradient. */
  readonly needs: readonly boolean[];
  /** For each input, whether the forward pass writes its gradient: where one is needed of a reduced loss. */
  readonly fused: readonly boolean[];
}

export function planGradients(inputs: readonly Tensor[], reduction: string): GradientPlan {
  const recording = isRecording(inputs);
  const needs = inputs.map((input) => recording && input.requiresGrad);
  return { recording, needs, fused: needs.map((need) => need && reduction !== 'none') };
}

/** Shapes and dtypes of the wanted gradients of tensors, of which those with a gradient come first. */
export function likesOf(
  tensors: readonly Tensor[],
  wanted: readonly boolean[],
): ReturnType<Tensor['like']>[] {
  return tensors.filter((_, i) => wanted[i]).map((tensor) => tensor.like());
}

export interface FusedCall {
  readonly op: string;
  /** The inputs that gradients are for. */
  readonly inputs: readonly Tensor[];
  readonly plan: GradientPlan;
  /** Tensors that the backward pass reads: they are the first of `saved`. */
  readonly operands: readonly Tensor[];
  /**
   * The loss, the gradients that the plan says are fused, and what else the backward pass reads, which comes last in
   * `saved`. All but the loss are disposed here.
   */
  readonly outputs: readonly [Tensor, ...Tensor[]];
  /**
   * Computes the gradients that are needed, in the inputs' order, for an upstream gradient other than 1. It must not hold
   * tensors of the call: they would live as long as the graph. `fused` are the gradients for 1.
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

// Records a loss that is composed of several ops as one op. The gradients of a scalar are computed in the forward
// pass, so that its backward() launches nothing.
import { enableGrad, isRecording, noGrad, record } from '../core/autograd.ts';
import { mul } from '../math/arithmetic.ts';
import { scope } from '../core/scope.ts';
import type { Tensor } from '../core/tensor.ts';
import { recordFused } from './fused-gradient.ts';

export interface Composed {
  readonly op: string;
  /** The inputs that may need a gradient. */
  readonly inputs: readonly Tensor[];
  /** Other tensors that `compute` reads. */
  readonly constants: readonly Tensor[];
  /** Computes the results from its arguments alone. Gradients are those of the first result. */
  readonly compute: (
    inputs: readonly Tensor[],
    constants: readonly Tensor[],
  ) => readonly [Tensor, ...Tensor[]];
}

interface Computed {
  readonly results: readonly [Tensor, ...Tensor[]];
  /** The gradient of each input; null where none is needed. */
  readonly grads: readonly (Tensor | null)[];
}

/** Runs `compute` and its backward pass on leaf tensors made here, so that no other graph or `grad` changes. */
function withGradients(
  { inputs, constants, compute }: Omit<Composed, 'op'>,
  needs: readonly boolean[],
  gradOutput?: Tensor,
): Computed {
  return enableGrad(() =>
    scope(() => {
      const leaves = inputs.map((input, i) => {
        const leaf = input.detach();
        leaf.requiresGrad = needs[i] ?? false;
        return leaf;
      });
      const results = compute(leaves, constants);
      results[0].backward(gradOutput);
      const grads = leaves.map((leaf) => {
        const { grad } = leaf;
        leaf.grad = null;
        return grad;
      });
      const [loss, ...others] = results;
      return { results: [loss.detach(), ...others.map((result) => result.detach())], grads };
    }),
  );
}

/**
 * The gradients of a call, computed again from its saved tensors: one input for each of `needs`, then the constants.
 */
function gradientsAnew(
  compute: Composed['compute'],
  saved: readonly Tensor[],
  needs: readonly boolean[],
  gradOutput: Tensor,
): readonly (Tensor | null)[] {
  const [inputs, constants] = [saved.slice(0, needs.length), saved.slice(needs.length)];
  const call = { compute, inputs, constants };
  const { results, grads } = withGradients(call, needs, gradOutput);
  for (const result of results) result.dispose();
  return grads;
}

/**
 * The results of a composed loss. The first one, a scalar, is recorded as one op; the others have no gradient. The
 * gradients for an upstream gradient of 1 are kept. Another upstream gradient multiplies them. In float16, where they
 * may have underflowed or overflowed, they are computed again instead.
 */
export function gradientsInForward(composed: Composed): readonly [Tensor, ...Tensor[]] {
  const { op, inputs, constants, compute } = composed;
  if (!isRecording(inputs)) return compute(inputs, constants);
  const { results, grads } = withGradients(
    composed,
    inputs.map(({ requiresGrad }) => requiresGrad),
  );
  const [loss] = results;
  const written = grads.map((grad) => grad !== null);
  const again = inputs.some(({ dtype }) => dtype === 'float16');
  recordFused({
    op,
    inputs,
    plan: { recording: true, needs: written, fused: written },
    operands: again ? [...inputs, ...constants] : [],
    outputs: [loss, ...grads.filter((grad) => grad !== null)],
    backward: (saved, gradOutput, fused) =>
      again
        ? gradientsAnew(compute, saved, written, gradOutput).filter((grad) => grad !== null)
        : fused.map((grad) => mul(grad, gradOutput)),
  });
  return results;
}

/**
 * Records a result whose graph was not kept. Its gradients are computed again in the backward pass, with the forward
 * pass.
 */
export function gradientsInBackward(
  result: Tensor,
  { op, inputs, constants, compute }: Composed,
): Tensor {
  return record(result, op, inputs, [...inputs, ...constants], (upstream, saved, needs) =>
    gradientsAnew(compute, saved, needs, upstream.tensor),
  );
}

/** A loss that is a scalar, recorded by `gradientsInForward`, or one of elements, by `gradientsInBackward`. */
export function recordComposed(composed: Composed, scalar: boolean): Tensor {
  if (scalar) return gradientsInForward(composed)[0];
  const { inputs, constants, compute } = composed;
  const [result] = noGrad(() => compute(inputs, constants));
  return isRecording(inputs) ? gradientsInBackward(result, composed) : result;
}

// Plans of losses with a kernel of their own that writes the loss and, where it is reduced, the gradients in one pass.
import type { Planner } from '../core/kernel.ts';
import type { Shape } from '../core/shape.ts';
import type { Call } from './call.ts';
import { kernelPass, type KernelPass } from './kernel-pass.ts';
import type { Part } from './pass.ts';
import type { Passes } from './types.ts';

export interface FusedLoss<A> {
  readonly kernel: Planner<A>;
  /** What the kernel reads, in its order; those of them that may get gradients come first. */
  readonly operands: readonly Part[];
  readonly differentiable: readonly Part[];
  /** The shape of the loss. */
  readonly shape: Shape;
  /** Whether it is a sum or a mean, so that the gradients of a gradOutput of 1 can be written with it. */
  readonly reduced: boolean;
  /** What the forward direction writes between the loss and the gradients, and the backward direction reads. */
  readonly kept?: readonly Part[];
  /** The arguments: forward with the gradients that are wanted, or backward. */
  readonly args: (backward: boolean, wanted: readonly boolean[]) => A;
  /** Launches ahead of the forward direction. */
  readonly ahead?: (pass: KernelPass) => void;
  /** What the kernel writes instead of a gradient, and the launches that make the gradient of it. */
  readonly write?: (pass: KernelPass, grad: Part, index: number) => readonly [Part, () => void];
}

export function fusedPasses<A>(call: Call, loss: FusedLoss<A>): Passes {
  const { kernel, operands, differentiable, shape, reduced, kept = [], args, ahead, write } = loss;
  const [first] = operands;
  const y = call.tensor('output', shape, first?.dtype ?? 'float32');
  const needs = differentiable.map(({ name }) => call.wants(name));
  const fused = needs.map((need) => need && reduced && call.fused);
  const run = (
    pass: KernelPass,
    backward: boolean,
    wanted: readonly boolean[],
    reads: readonly Part[],
    others: readonly Part[],
  ): void => {
    const grads = differentiable.flatMap((part, i) => {
      if (!wanted[i]) return [];
      const grad = call.gradOf(part);
      return [write?.(pass, grad, i) ?? ([grad, null] as const)];
    });
    const written = grads.map(([part]) => part);
    pass.run(kernel, args(backward, wanted), reads, [...others, ...written]);
    for (const [, finish] of grads) finish?.();
  };
  return {
    forward: kernelPass(call, (pass) => {
      ahead?.(pass);
      run(pass, false, fused, operands, [y, ...kept]);
    }),
    backward: needs.includes(true)
      ? kernelPass(call, (pass) => {
          run(pass, true, needs, [...operands, ...kept, call.gradOf(y)], []);
        })
      : null,
  };
}

// Plans of losses with a kernel of their own that writes the loss and, where it is reduced, the gradients in one pass.
import type { Planner } from '../core/kernel.ts';
import type { Shape } from '../core/shape.ts';
import { planMerged } from '../gpu/merge.ts';
import type { Call } from './call.ts';
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
}

export function fusedPasses<A>(call: Call, loss: FusedLoss<A>): Passes {
  const { kernel, operands, differentiable, shape, reduced, kept = [], args } = loss;
  const [first] = operands;
  const y = call.tensor('output', shape, first?.dtype ?? 'float32');
  const needs = differentiable.map(({ name }) => call.wants(name));
  const fused = needs.map((need) => need && reduced && call.fused);
  const grads = (wanted: readonly boolean[]): Part[] =>
    differentiable.filter((_, i) => wanted[i]).map((part) => call.gradOf(part));
  return {
    forward: call.pass((pass) => {
      pass.run(kernel, args(false, fused), operands, [y, ...kept, ...grads(fused)]);
    }, planMerged),
    backward: needs.includes(true)
      ? call.pass((pass) => {
          const reads = [...operands, ...kept, call.gradOf(y)];
          pass.run(kernel, args(true, needs), reads, grads(needs));
        }, planMerged)
      : null,
  };
}

// Plans of distances, and of losses made of them, whose tensors broadcast to each other.
import { rowLayout, sameShape, type Shape } from '../core/shape.ts';
import { pairArgs, type PairRowsDeclaration } from '../define/pair-rows.ts';
import { castArgs } from '../kernels/pointwise/identity.ts';
import { pairRows } from '../kernels/pair-rows/plan.ts';
import { pointwisePlanner } from '../kernels/pointwise/planner.ts';
import { fusedPasses } from './fused.ts';
import type { Part } from './pass.ts';
import { sumTo } from './sum-to.ts';
import type { KernelOp } from './types.ts';

/** A distance, or a loss of distances, for `planOf`, from its declaration. */
export function comparedRowsKernel<O extends object, N extends string>(
  declaration: PairRowsDeclaration<O, N>,
): KernelOp<Omit<O, 'out'>, N> {
  const { op, kind, inputs, label, compared } = declaration;
  return {
    op: op.name,
    kind,
    inputs: label === undefined ? inputs : [...inputs, label],
    differentiable: inputs,
    passes: (call) => {
      const first = call.input();
      const given = inputs.map((name, i) => (i === 0 ? first : call.input(name, first.shape)));
      const labels = label === undefined ? [] : [call.input(label, first.shape.slice(0, -1))];
      const named = Object.fromEntries([...given, ...labels].map((part) => [part.name, part]));
      const { shape, dim, rowShape, ...rest } = compared(
        call.options as O,
        [],
        named as Record<N, Part>,
      );
      const filling = (part: Part, to: Shape): Part =>
        sameShape(part.shape, to) ? part : call.tensor(`${part.name}Repeated`, to, part.dtype);
      const rows = given.map((part) => filling(part, shape));
      const operands = [...rows, ...labels.map((part) => filling(part, rowShape))];
      const { reduction } = rest;
      return fusedPasses(call, {
        kernel: pairRows,
        operands,
        differentiable: given,
        shape: reduction === 'none' ? rowShape : [],
        reduced: reduction !== 'none',
        args: pairArgs(op, { ...rest, reduces: reduction, layout: rowLayout(shape, dim) }),
        ahead: (pass) => {
          [...given, ...labels].forEach((part, i) => {
            const to = operands[i];
            if (to && to !== part) pass.run(pointwisePlanner, castArgs(to.shape), [part], [to]);
          });
        },
        // The gradient of what was repeated is summed up.
        write: (pass, grad, i) => {
          const like = rows[i];
          if (!like || sameShape(like.shape, grad.shape)) return [grad, () => undefined];
          const wide = pass.temporary(like.shape, like.dtype);
          const finish = (): void => {
            sumTo(pass, wide, grad);
            pass.release(wide);
          };
          return [wide, finish];
        },
      });
    },
  };
}

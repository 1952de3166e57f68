// Plans of losses of rows of scores.
import { sizeOf } from '../core/shape.ts';
import { checkShapeIs } from '../core/validate.ts';
import { checkOneOf } from '../core/validate-options.ts';
import {
  checkRows,
  marginArgs,
  marginLossOp,
  type MarginLossDeclaration,
} from '../define/margin-loss.ts';
import { resolveParams, type ParamOptions, type ParamSpecs } from '../define/params.ts';
import { REDUCTIONS, type Reduction } from '../define/reduction.ts';
import { marginLoss } from '../kernels/margin-loss/plan.ts';
import { fusedPasses } from './fused.ts';
import type { KernelOp } from './types.ts';

/** Options of a plan of a loss of rows: its own, and the reduction. */
export type RowLossKernelOptions<S extends ParamSpecs> = ParamOptions<S> & {
  /** How the losses become one number, as in the function of that name. */
  readonly reduction?: Reduction;
};

/**
 * A loss of rows of scores for `planOf`, from its declaration. `target` is int32 class indices, one for each row or a list of them, or
 * a number for each score. A class that is out of range is noted in `status`.
 */
export function marginLossKernel<const S extends ParamSpecs>(
  declaration: MarginLossDeclaration<S> & { readonly weighted: boolean },
): KernelOp<RowLossKernelOptions<S>, 'input' | 'target' | 'weight'> {
  const { name, weighted } = declaration;
  const specs = declaration.params ?? ({} as S);
  const op = marginLossOp(declaration);
  const numbers = op.target === 'numbers';
  return {
    op: name,
    kind: 'loss',
    inputs: weighted ? ['input', 'target', 'weight'] : ['input', 'target'],
    differentiable: numbers ? ['input', 'target'] : ['input'],
    passes: (call) => {
      const params = resolveParams(name, specs, ['reduction'], call.options);
      const { reduction = 'mean' } = call.options as { readonly reduction?: Reduction };
      checkOneOf(name, 'reduction', reduction, REDUCTIONS);
      const x = call.input();
      const n = x.shape.at(-1) ?? 1;
      const own = op.target === 'class' ? x.shape.slice(0, -1) : x.shape;
      const target = call.input('target', own, numbers ? [x.dtype] : ['int32']);
      const rowShape = checkRows(op, x, target, n);
      const weight = call.has('weight') ? [call.input('weight')] : [];
      for (const one of weight) checkShapeIs(name, 'weight', one, [n]);
      const rows = sizeOf(rowShape);
      return fusedPasses(call, {
        kernel: marginLoss,
        operands: [x, target, ...weight],
        differentiable: numbers ? [x, target] : [x],
        shape: reduction === 'none' ? rowShape : [],
        reduced: reduction !== 'none',
        args: marginArgs({ op, params, rows, n, reduction }, weight.length > 0),
      });
    },
  };
}

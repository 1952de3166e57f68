// Plans of losses of pairs of rows: of boxes, and of distances.
import {
  boxLossCall,
  boxLossOp,
  type BoxLossDeclaration,
  type BoxLossOptions,
} from '../define/box-loss.ts';
import {
  distanceLossCall,
  distanceLossOp,
  type DistanceLossDeclaration,
} from '../define/distance-loss.ts';
import { pairArgs } from '../define/pair-rows.ts';
import type { ParamSpecs } from '../define/params.ts';
import { pairRows } from '../kernels/pair-rows/plan.ts';
import { fusedPasses } from './fused.ts';
import type { RowLossKernelOptions } from './margin-loss.ts';
import type { KernelOp } from './types.ts';

/** A loss of boxes for `planOf`, from its declaration. */
export function boxLossKernel(
  declaration: BoxLossDeclaration,
): KernelOp<Omit<BoxLossOptions, 'out'>, 'boxes1' | 'boxes2'> {
  const op = boxLossOp(declaration);
  return {
    op: declaration.name,
    kind: 'loss',
    inputs: ['boxes1', 'boxes2'],
    differentiable: ['boxes1'],
    passes: (call) => {
      const boxes1 = call.input();
      const boxes2 = call.input('boxes2', boxes1.shape);
      const of = boxLossCall(declaration, call.options, [], boxes1, boxes2);
      return fusedPasses(call, {
        kernel: pairRows,
        operands: [boxes1, boxes2],
        differentiable: [boxes1],
        shape: of.shape,
        reduced: of.reduction !== 'none',
        args: pairArgs(op, of),
      });
    },
  };
}

/** A loss of distances for `planOf`, from its declaration. */
export function distanceLossKernel<const S extends ParamSpecs>(
  declaration: DistanceLossDeclaration<S>,
): KernelOp<RowLossKernelOptions<S>, 'x1' | 'x2' | 'target'> {
  const op = distanceLossOp(declaration);
  return {
    op: declaration.name,
    kind: 'loss',
    inputs: ['x1', 'x2', 'target'],
    differentiable: ['x1', 'x2'],
    passes: (call) => {
      const x1 = call.input();
      const x2 = call.input('x2', x1.shape);
      const target = call.input('target', x1.shape.slice(0, 1));
      const of = distanceLossCall(declaration, call.options, [], [x1, x2, target]);
      return fusedPasses(call, {
        kernel: pairRows,
        operands: [x1, x2, target],
        differentiable: [x1, x2],
        shape: of.shape,
        reduced: of.reduction !== 'none',
        args: pairArgs(op, of),
      });
    },
  };
}

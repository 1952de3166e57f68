// Plans of losses of overlap between regions.
import type { ParamSpecs } from '../define/params.ts';
import {
  regionCall,
  type RegionLossDeclaration,
  type RegionLossOptions,
} from '../define/region-loss.ts';
import { regionLoss } from '../kernels/region/plan.ts';
import { fusedPasses } from './fused.ts';
import type { KernelOp } from './types.ts';

/** A loss of regions for `planOf`, from its declaration. `target` is int32 classes, or of the dtype of `input` in other modes. */
export function regionLossKernel<const S extends ParamSpecs>(
  declaration: RegionLossDeclaration<S>,
): KernelOp<Omit<RegionLossOptions<S>, 'out'>, 'input' | 'target'> {
  const { name } = declaration;
  return {
    op: name,
    kind: 'loss',
    inputs: ['input', 'target'],
    differentiable: ['input'],
    passes: (call) => {
      const x = call.input();
      const { target, reduction, shape, classes, args } = regionCall(
        declaration,
        call.options,
        [],
        x,
        (labels) => {
          const own = labels ? x.shape.filter((_, d) => d !== 1) : x.shape;
          return call.input('target', own, labels ? ['int32'] : [x.dtype]);
        },
      );
      return fusedPasses(call, {
        kernel: regionLoss,
        operands: [x, target],
        differentiable: [x],
        shape,
        reduced: reduction !== 'none',
        kept: [call.tensor('slopes', [classes, 2], 'float32')],
        args: (backward, [wanted = false]) => args(backward, wanted && !backward),
      });
    },
  };
}

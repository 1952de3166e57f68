// Plans of ops along one dimension.
import { checkBroadcastsTo } from '../core/validate.ts';
import { normalizeDim } from '../core/shape.ts';
import { resolveRowwise, rowwiseArgs, rowwiseOp } from '../define/rowwise-call.ts';
import type { RowwiseDeclaration } from '../define/rowwise.ts';
import { rowwise } from '../kernels/rowwise/plan.ts';
import { kernelPass } from './kernel-pass.ts';
import type { KernelOp } from './types.ts';

/** The options of an op along a dimension: which one, and of masked ones a factor of `input`. */
export type RowwiseKernelOptions<D extends RowwiseDeclaration> = (D extends { dim: number }
  ? {
      /** The dimension along which rows run; from the end where negative. */
      readonly dim?: number;
    }
  : {
      /** The dimension along which rows run; from the end where negative. */
      readonly dim: number;
    }) &
  (D extends { leftOut: number }
    ? {
        /** A factor of `input`. Defaults to 1. */
        readonly scale?: number;
      }
    : unknown);

/** An op along one dimension as `planOf` takes it. */
export type RowwiseKernel<D extends RowwiseDeclaration> = KernelOp<
  RowwiseKernelOptions<D>,
  D extends { leftOut: number } ? 'input' | 'mask' : 'input'
>;

/** A row-wise op for `planOf`, from its declaration. `mask` is int32, and there where its shape is. */
export function rowwiseKernel<const D extends RowwiseDeclaration>(
  declaration: D,
): RowwiseKernel<D> {
  const { name, leftOut, kernel = rowwise } = declaration as RowwiseDeclaration;
  const op = rowwiseOp(declaration);
  const made: KernelOp<{ dim?: number; scale?: number }, 'input' | 'mask'> = {
    op: name,
    kind: 'rowwise',
    inputs: leftOut === undefined ? ['input'] : ['input', 'mask'],
    differentiable: ['input'],
    passes: (call) => {
      const { dim, scale } = resolveRowwise(declaration, call.options);
      const x = call.input();
      const masks = call.has('mask') ? [call.input('mask', undefined, ['int32'])] : [];
      for (const mask of masks) checkBroadcastsTo(name, 'mask', mask, x.shape);
      const along = normalizeDim(name, dim, x.shape.length);
      const args = rowwiseArgs(op, x.shape, along, { scale, mask: masks[0]?.shape });
      const y = call.tensor('output', x.shape, x.dtype);
      const backs = call.wants('input');
      // Gradients are computed from the result before it is rounded.
      const result = backs && x.dtype === 'float16' ? call.tensor('result', x.shape, 'float32') : y;
      return {
        forward: kernelPass(call, (pass) => {
          pass.run(kernel, { ...args, direction: 'forward' }, [x, ...masks], [result]);
          if (result !== y) pass.cast(result, y);
        }),
        backward: backs
          ? kernelPass(call, (pass) => {
              const inputs = [result, ...masks, call.gradOf(y)];
              pass.run(kernel, { ...args, direction: 'backward' }, inputs, [call.gradOf(x)]);
            })
          : null,
      };
    },
  };
  return made as unknown as RowwiseKernel<D>;
}

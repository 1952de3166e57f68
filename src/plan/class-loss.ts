// Plans of classification losses.
import { DTypeError, ShapeError } from '../core/errors.ts';
import { formatShape, rowLayout } from '../core/shape.ts';
import { checkShapeIs } from '../core/validate.ts';
import {
  checkTarget,
  classLossArgs,
  classLossOps,
  resolveClassLoss,
  type AnyClassLossOptions,
} from '../define/class-loss-call.ts';
import type { ClassLossDeclaration } from '../define/class-loss.ts';
import type { ParamOptions, ParamSpecs } from '../define/params.ts';
import type { Reduction } from '../define/reduction.ts';
import type { TemperOptions } from '../define/temper.ts';
import { classLoss } from '../kernels/class-loss/plan.ts';
import { kernelPass } from './kernel-pass.ts';
import type { KernelOp } from './types.ts';

/** Options of a plan of a classification loss. */
export type ClassLossKernelOptions<S extends ParamSpecs, Soft extends boolean> = ParamOptions<S> & {
  /** Targets of this class count nothing. Defaults to -100. */
  readonly ignoreIndex?: number;
  /** How the losses become one number, as in the function of that name. */
  readonly reduction?: Reduction;
} & (Soft extends true
    ? {
        /** The part of a target that is shared out over all classes, from 0 to 1. Defaults to 0. */
        readonly labelSmoothing?: number;
      } & TemperOptions
    : unknown);

/**
 * A classification loss for `planOf`, from its declaration. `target` is int32 class indices, one for each row, or of a soft loss
 * class probabilities (`dtypes: { target: dtype }`). A class that is out of range is noted in `status`, 16 bytes that are 0 before.
 */
export function classLossKernel<const S extends ParamSpecs, const Soft extends boolean>(
  declaration: ClassLossDeclaration<S> & { readonly soft: Soft },
): KernelOp<ClassLossKernelOptions<S, Soft>, 'input' | 'target' | 'weight'> {
  const { name, soft } = declaration;
  const ops = classLossOps(declaration);
  const made: KernelOp<AnyClassLossOptions, 'input' | 'target' | 'weight'> = {
    op: name,
    kind: 'loss',
    inputs: ['input', 'target', 'weight'],
    differentiable: soft ? ['input', 'target'] : ['input'],
    passes: (call) => {
      const resolved = resolveClassLoss(declaration, ops, call.options);
      const x = call.input();
      const dim = x.shape.length > 1 ? 1 : 0;
      const layout = rowLayout(x.shape, dim);
      const probabilities = soft && call.dtypeOf('target') === x.dtype;
      const rows = x.shape.filter((_, d) => d !== dim);
      const target = call.input(
        'target',
        probabilities ? x.shape : rows,
        soft ? ['int32', x.dtype] : ['int32'],
      );
      const rowShape = checkTarget(name, x, target, dim, call.options.ignoreIndex);
      if (layout.n === 0) {
        throw new ShapeError({
          op: name,
          argument: 'input',
          expected: 'at least one class',
          received: `shape ${formatShape(x.shape)}`,
        });
      }
      const weight = call.has('weight') ? [call.input('weight')] : [];
      for (const one of weight) checkShapeIs(name, 'weight', one, [layout.n]);
      const { reduction } = resolved;
      const needs = [call.wants('input'), call.wants('target')];
      if (needs[1] && !probabilities) {
        throw new DTypeError({
          op: name,
          argument: 'gradients',
          expected: 'class probabilities where target is to have a gradient',
          received: 'class indices',
        });
      }
      const backs = needs.includes(true);
      const fused = needs.map((need) => need && reduction !== 'none' && call.fused);
      const divided = backs && !probabilities && reduction === 'mean';
      const args = classLossArgs(resolved, {
        layout,
        count: null,
        classes: !probabilities,
        weights: weight.length > 0,
        divided,
      });
      const y = call.tensor('output', reduction === 'none' ? rowShape : [], x.dtype);
      const divisor = divided ? [call.tensor('divisor', [1], 'float32')] : [];
      const operands = [x, target, ...weight];
      const grads = (wanted: readonly boolean[]) =>
        [x, target].filter((_, i) => wanted[i]).map((part) => call.gradOf(part));
      return {
        forward: kernelPass(call, (pass) => {
          pass.run(classLoss, args(false, fused), operands, [y, ...grads(fused), ...divisor]);
        }),
        backward: backs
          ? kernelPass(call, (pass) => {
              const reads = [...operands, call.gradOf(y), ...divisor];
              pass.run(classLoss, args(true, needs), reads, grads(needs));
            })
          : null,
      };
    },
  };
  return made;
}

// Makes a classification loss from its declaration: the loss of one log-probability and its derivative. The function takes
// class weights, ignored indices, label smoothing, class probabilities and reductions, and has gradients.
import type { ParamValues } from '../shader/params.ts';
import type { TemperOptions } from './temper.ts';
import type { Device } from '../core/device.ts';
import { run } from '../core/dispatcher.ts';
import { encode, type FloatDType } from '../core/dtype.ts';
import type { Source } from '../shader/link.ts';
import type { Margin } from '../kernels/class-loss/args.ts';
import { classLoss } from '../kernels/class-loss/plan.ts';
import { rowLayout } from '../core/shape.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import {
  checkDevice,
  checkOut,
  checkSameDType,
  checkShapeIs,
  checkTensor,
} from '../core/validate.ts';
import { checkClassIndices } from '../core/validate-targets.ts';
import {
  checkTarget,
  classLossArgs,
  classLossOps,
  resolveClassLoss,
  type AnyClassLossOptions,
} from './class-loss-call.ts';
import { likesOf, planGradients, recordFused } from './fused-gradient.ts';
import { lossOfNoClasses } from './no-classes.ts';
import { REDUCTIONS, type Reduction } from './reduction.ts';
import { defineOp, type Accuracy, type Declared, type OpDocs } from './op.ts';
import { warmUp } from './prepare.ts';
import {
  defaultsOf,
  type NoParams,
  type ParamOptions,
  type ParamSpecs,
  type ParamsOf,
} from './params.ts';

export { CLASSES, COSINES } from './shape-docs.ts';

export interface ClassLossDeclaration<S extends ParamSpecs> {
  readonly name: string;
  /** WGSL: `fn class_loss(l: f32, p: Params) -> f32` of the log-probability l, and `fn class_loss_grad`, its derivative. */
  readonly wgsl: string;
  readonly includes?: readonly Source[];
  readonly params?: S;
  /** Whether the input holds logits, of which the log-softmax is taken, or log-probabilities. */
  readonly normalised: boolean;
  /** Whether targets may be class probabilities, and label smoothing is offered. */
  readonly soft: boolean;
  /**
   * For scores that are cosines, which the kernel multiplies by the option `s`: what becomes of the one of a row's class before.
   * In WGSL `fn margin(c: f32, p: Params) -> f32` and `fn margin_grad`. `derive` gives the numbers that all these work with, `s`
   * among them, where they are not the options.
   */
  readonly margin?: Margin & {
    readonly derive?: (params: ParamsOf<S>) => ParamValues & { readonly s: number };
  };
  readonly loss: (l: number, params: ParamsOf<S>) => number;
  readonly grad: (l: number, params: ParamsOf<S>) => number;
  /** Error bounds that the tests check. */
  readonly accuracy?: Accuracy;
  /** Documentation for tables and the demo. The build removes it. */
  readonly docs?: OpDocs;
}

/** Options of a classification loss: its own numbers, weights of classes, ignored targets, reduction. */
export type ClassLossOptions<S extends ParamSpecs, Soft extends boolean> = ParamOptions<S> & {
  /** A factor for each class, of shape [C]. */
  weight?: Tensor;
  /**
   * Targets with this index add nothing to the loss, to the gradient or to the weight of a mean. Defaults to -100.
   */
  ignoreIndex?: number;
  /** `'mean'` (default): the sum over the sum of the targets' weights; `'sum'`; `'none'`: one loss per target. */
  reduction?: Reduction;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
} & (Soft extends true
    ? {
        /** From 0 (default) to 1: the share of each target that is spread evenly over all classes. */
        labelSmoothing?: number;
      } & TemperOptions
    : unknown);

/**
 * A loss of scores [N, C, d1, …] (or [C]) and int32 class indices [N, d1, …] (or a scalar), or, where the op takes them,
 * class probabilities of the scores' shape.
 */
export interface ClassLoss<
  S extends ParamSpecs = ParamSpecs,
  Soft extends boolean = boolean,
> extends Declared {
  (input: Tensor, target: Tensor, options?: ClassLossOptions<S, Soft>): Tensor;
  readonly kind: 'loss';
}

/** A declaration as it is, with its types: what is made of it here, and by `plan/class-loss.ts`. */
export function declareClassLoss<
  const S extends ParamSpecs = NoParams,
  const Soft extends boolean = boolean,
>(
  declaration: ClassLossDeclaration<S> & { readonly soft: Soft },
): ClassLossDeclaration<S> & { readonly soft: Soft } {
  return declaration;
}

/** Declares a classification loss over rows of scores. */
export function defineClassLoss<
  const S extends ParamSpecs = NoParams,
  const Soft extends boolean = boolean,
>(declaration: ClassLossDeclaration<S> & { readonly soft: Soft }): ClassLoss<S, Soft> {
  const { name, soft, accuracy, docs } = declaration;
  const specs = declaration.params ?? ({} as S);
  const ops = classLossOps(declaration);

  const apply = (input: Tensor, target: Tensor, given: ClassLossOptions<S, Soft> = {}): Tensor => {
    const options: AnyClassLossOptions & { weight?: Tensor; out?: Tensor } = given;
    const call = resolveClassLoss(declaration, ops, options);
    const { reduction, ignoreIndex } = call;
    const { weight, out } = options;
    checkTensor(name, 'input', input);
    checkTensor(name, 'target', target, soft ? ['int32', input.dtype] : ['int32']);
    checkDevice(name, 'target', target, input.device);
    input.device.check(name);
    const dim = input.rank > 1 ? 1 : 0;
    const layout = rowLayout(input.shape, dim);
    const rowShape = checkTarget(name, input, target, dim, options.ignoreIndex);
    if (weight !== undefined) {
      checkTensor(name, 'weight', weight);
      checkDevice(name, 'weight', weight, input.device);
      checkSameDType(name, 'weight', weight, input.dtype);
      checkShapeIs(name, 'weight', weight, [layout.n]);
    }
    const classes = target.dtype === 'int32';
    const known = classes ? checkClassIndices(name, target, layout.n, ignoreIndex) : null;
    const count = reduction === 'mean' && weight === undefined ? known : null;
    const shape = reduction === 'none' ? rowShape : [];
    const inputs = [input, target];
    const plan = planGradients(inputs, reduction);
    checkOut(name, out, { device: input.device, dtype: input.dtype, shape }, plan.recording);

    if (layout.n === 0) return lossOfNoClasses(name, { input, target, dim, reduction, shape, out });

    const weights = weight !== undefined;
    const divided = plan.recording && classes && reduction === 'mean' && count === null;
    const args = classLossArgs(call, { layout, count, classes, weights, divided });
    const operands = weight ? [...inputs, weight] : inputs;
    const leading = operands.length;
    return recordFused({
      op: name,
      inputs,
      plan,
      operands,
      outputs: run(classLoss, args(false, plan.fused), operands, [
        out ?? { shape, dtype: input.dtype },
        ...likesOf(inputs, plan.fused),
        ...(divided ? [{ shape: [1], dtype: 'float32' as const }] : []),
      ]),
      backward: (saved, gradOutput) =>
        run(
          classLoss,
          args(true, plan.needs),
          [...saved.slice(0, leading), gradOutput, ...saved.slice(leading)],
          likesOf(saved, plan.needs),
        ),
    });
  };

  return defineOp(apply, {
    op: name,
    kind: 'loss',
    docs,
    accuracy,
    params: defaultsOf(specs),
    specs,
    prepare: (device: Device, dtype: FloatDType) => {
      // Calls with rows in chunks, with whole rows, and with rows that are kept in registers.
      for (const [rows, classes] of [
        [1, 16384],
        [1, 1000],
        [1, 10],
        [8192, 2],
      ] as const) {
        const indices = encode('int32', new Int32Array(rows));
        const target = fromHost(indices, [rows], 'int32', device);
        const unknown = fromHost(indices, [rows], 'int32', device);
        unknown.storage(name).forget();
        for (const reduction of rows === 1 && classes < 1000 ? REDUCTIONS : ['mean' as const]) {
          const options = { reduction } as ClassLossOptions<S, Soft>;
          warmUp(device, dtype, [[rows, classes]], (input) => {
            for (const one of [unknown, target]) apply(input.detach(), one, options);
            apply(input, unknown, options);
            return apply(input, target, options);
          });
        }
      }
    },
  });
}

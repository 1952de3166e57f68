// Makes a loss of overlap between regions from its declaration: how false positives and false negatives weigh. The function takes
// logits or probabilities of classes, labels or binary ones, ignored positions and reductions, and has gradients.
import { run } from '../core/dispatcher.ts';
import type { Device } from '../core/device.ts';
import { encode, type FloatDType } from '../core/dtype.ts';
import { rowLayout, sizeOf, type Shape } from '../core/shape.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import { checkDevice, checkOut, checkRank, checkShapeIs, checkTensor } from '../core/validate.ts';
import { checkNumber, checkOneOf } from '../core/validate-options.ts';
import { checkClassIndices } from '../core/validate-targets.ts';
import type { RegionLossArgs } from '../kernels/region/args.ts';
import { regionLoss } from '../kernels/region/plan.ts';
import { refused } from './arrange.ts';
import { likesOf, planGradients, recordFused } from './fused-gradient.ts';
import { defineOp, type Accuracy, type Declared, type OpDocs } from './op.ts';
import {
  defaultsOf,
  resolveParams,
  type NoParams,
  type ParamOptions,
  type ParamSpecs,
  type ParamsOf,
} from './params.ts';
import { warmUp } from './prepare.ts';
import { REDUCTIONS, type Reduction } from './reduction.ts';

const MODES = ['multiclass', 'multilabel', 'binary'] as const;

const COMMON = {
  mode: { choices: MODES },
  fromLogits: true,
  smooth: { default: 0, min: 0 },
  eps: { default: 1e-7, min: 0, above: true },
  logLoss: false,
} as const;

export interface RegionLossDeclaration<S extends ParamSpecs> {
  readonly name: string;
  /** Options beside those of all region losses. */
  readonly params?: S;
  /**
   * How much false positives (`alpha`) and false negatives (`beta`) weigh in the score of a class, (tp + smooth) / (tp + alpha fp +
   * beta fn + smooth), and the power of its loss (`gamma`, 1 where left out).
   */
  readonly weigh: (params: ParamsOf<S>) => {
    readonly alpha: number;
    readonly beta: number;
    readonly gamma?: number;
  };
  readonly accuracy?: Accuracy;
  /** Documentation for tables and the demo. The build removes it. */
  readonly docs?: Omit<OpDocs, 'shapes' | 'torch'>;
}

/** Options of a loss of overlap between regions. */
export type RegionLossOptions<S extends ParamSpecs> = ParamOptions<S> & {
  /**
   * `'multiclass'` (default): input [N, C, d1, …], of which the softmax over dimension 1 is taken, and int32 target [N, d1, …].
   * `'multilabel'`: a target of the input's shape and dtype, and the sigmoid. `'binary'`: the same with one class over everything.
   */
  mode?: 'multiclass' | 'multilabel' | 'binary';
  /** Whether the input holds logits (default), or probabilities. */
  fromLogits?: boolean;
  /** Added to numerator and denominator of a score. Defaults to 0. */
  smooth?: number;
  /** The least denominator, and the least score that `logLoss` takes the logarithm of. Above 0; defaults to 1e-7. */
  eps?: number;
  /** Whether the loss of a class is -log(score), not 1 - score. */
  logLoss?: boolean;
  /** Positions where the target is this count nowhere. Defaults to -100. */
  ignoreIndex?: number;
  /** `'mean'` (default) over the classes, `'sum'`, or `'none'` for the loss of each. */
  reduction?: Reduction;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
};

/** A loss of predicted and true regions. The target has no gradient. */
export interface RegionLoss<S extends ParamSpecs = ParamSpecs> extends Declared {
  (input: Tensor, target: Tensor, options?: RegionLossOptions<S>): Tensor;
  readonly kind: 'loss';
}

interface AnyOptions {
  readonly ignoreIndex?: number;
  readonly reduction?: Reduction;
  readonly out?: Tensor;
}

/** A declaration as it is, with its types: what is made of it here, and by `plan/region-loss.ts`. */
export function declareRegionLoss<const S extends ParamSpecs = NoParams>(
  declaration: RegionLossDeclaration<S>,
): RegionLossDeclaration<S> {
  return declaration;
}

interface Seen {
  readonly shape: Shape;
}

/** What a call is for the kernel. `targetOf` checks the target, given whether it is labels, and returns it. */
export function regionCall<S extends ParamSpecs, T extends Seen>(
  declaration: RegionLossDeclaration<S>,
  options: object,
  others: readonly string[],
  input: Seen,
  targetOf: (labels: boolean) => T,
): {
  readonly target: T;
  readonly reduction: Reduction;
  readonly shape: Shape;
  /** The number of classes. */
  readonly classes: number;
  readonly args: (backward: boolean, grad: boolean) => RegionLossArgs;
} {
  const { name, weigh } = declaration;
  const specs = { ...COMMON, ...declaration.params } as typeof COMMON & S;
  const params = resolveParams(name, specs, ['ignoreIndex', 'reduction', ...others], options);
  const { mode, fromLogits, smooth, eps, logLoss } = params as ParamsOf<typeof COMMON>;
  const { ignoreIndex = -100, reduction = 'mean' } = options as AnyOptions;
  const [labels, binary] = [MODES[mode] === 'multiclass', MODES[mode] === 'binary'];
  checkOneOf(name, 'reduction', reduction, REDUCTIONS);
  checkNumber(name, 'ignoreIndex', ignoreIndex, { integer: labels });
  const target = targetOf(labels);
  const layout = layoutOf(name, input, target, { labels, binary });
  const score = { gamma: 1, ...weigh(params), smooth, eps, logLoss: logLoss === 1 };
  return {
    target,
    reduction,
    shape: reduction === 'none' ? [layout.n] : [],
    classes: layout.n,
    args: (backward, grad) => ({
      ...{ name, layout, labels, ignoreIndex, score, reduction, backward, grad },
      activation: fromLogits === 0 ? 'none' : labels ? 'softmax' : 'sigmoid',
    }),
  };
}

/** Declares a loss of overlap between regions. */
export function defineRegionLoss<const S extends ParamSpecs = NoParams>(
  declaration: RegionLossDeclaration<S>,
): RegionLoss<S> {
  const { name, accuracy, docs } = declaration;
  const specs = { ...COMMON, ...declaration.params } as typeof COMMON & S;

  const apply = (input: Tensor, target: Tensor, given: RegionLossOptions<S> = {}): Tensor => {
    const options: AnyOptions = given;
    const { reduction, shape, classes, args } = regionCall(
      declaration,
      options,
      ['out'],
      input,
      (labels) => {
        checkTensor(name, 'input', input);
        checkTensor(name, 'target', target, labels ? ['int32'] : [input.dtype]);
        checkDevice(name, 'target', target, input.device);
        input.device.check(name);
        return target;
      },
    );
    if (target.dtype === 'int32')
      checkClassIndices(name, target, classes, options.ignoreIndex ?? -100);
    const { out } = options;
    const plan = planGradients([input], reduction);
    const like = { device: input.device, dtype: input.dtype, shape };
    checkOut(name, out, like, plan.recording);
    const operands = [input, target];
    const [fused = false] = plan.fused;
    const [loss, slopes, ...grads] = run(regionLoss, args(false, fused), operands, [
      out ?? like,
      { shape: [classes, 2], dtype: 'float32' },
      ...likesOf([input], plan.fused),
    ]) as [Tensor, Tensor, ...Tensor[]];
    return recordFused({
      op: name,
      inputs: [input],
      plan,
      operands,
      outputs: [loss, ...grads, slopes],
      backward: (saved, gradOutput) =>
        run(regionLoss, args(true, false), [...saved, gradOutput], likesOf(saved, [true])),
    });
  };

  return defineOp(apply, {
    op: name,
    kind: 'loss',
    docs: docs && {
      ...docs,
      shapes:
        'input [N, C, d1, …], target (int32) [N, d1, …]; with mode `multilabel` target has the shape of input, with `binary` as many elements as input; result: a scalar, or with reduction `none` [C] (with `binary` [1])',
    },
    accuracy,
    params: defaultsOf(specs),
    specs,
    reductions: REDUCTIONS,
    prepare: (device: Device, dtype: FloatDType) => {
      const target = fromHost(encode('int32', new Int32Array(1)), [1, 1], 'int32', device);
      for (const reduction of REDUCTIONS) {
        for (const mode of MODES) {
          const options = { mode, reduction } as RegionLossOptions<S>;
          warmUp(device, dtype, [[1, 1, 1]], (input) =>
            apply(input, mode === 'multiclass' ? target : input.detach(), options),
          );
        }
      }
    },
  });
}

/** Checks the shapes of input and target; returns what the classes are of the input. */
function layoutOf(
  op: string,
  input: Seen,
  target: Seen,
  { labels, binary }: { readonly labels: boolean; readonly binary: boolean },
) {
  if (binary) {
    const inner = sizeOf(input.shape);
    if (sizeOf(target.shape) !== inner)
      throw refused(op, 'target', `${inner} elements, as input`, target.shape);
    return { outer: 1, n: 1, inner };
  }
  checkRank(op, { input }, 2);
  if (input.shape[1] === 0) throw refused(op, 'input', 'at least one class', input.shape);
  const rows = input.shape.filter((_, d) => d !== 1);
  checkShapeIs(op, 'target', target, labels ? rows : input.shape);
  return rowLayout(input.shape, 1);
}

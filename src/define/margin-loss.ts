// Makes a loss of rows of scores from the declared loss and gradient of one row. The function takes class weights and
// reductions, and has gradients.
import type { Device } from '../core/device.ts';
import { run } from '../core/dispatcher.ts';
import { encode, type FloatDType } from '../core/dtype.ts';
import { IndexOutOfRangeError, ShapeError } from '../core/errors.ts';
import { source, type Source } from '../shader/link.ts';
import {
  marginLoss,
  type MarginLossArgs,
  type MarginLossOp,
  type MarginRow,
} from '../kernels/margin-loss/plan.ts';
import { formatShape, sizeOf, type Shape } from '../core/shape.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import {
  checkDevice,
  checkOut,
  checkSameDType,
  checkShapeIs,
  checkTensor,
} from '../core/validate.ts';
import { checkOneOf } from '../core/validate-options.ts';
import { likesOf, planGradients, recordFused } from './fused-gradient.ts';
import { REDUCTIONS, type Reduction } from './reduction.ts';
import { defineOp, type Accuracy, type Declared, type OpDocs } from './op.ts';
import {
  defaultsOf,
  layoutOf,
  resolveParams,
  type NoParams,
  type ParamOptions,
  type ParamSpecs,
  type ParamsOf,
} from './params.ts';
import { warmUp } from './prepare.ts';

export interface MarginLossDeclaration<S extends ParamSpecs> {
  readonly name: string;
  /** WGSL: `fn row_loss` and `fn row_grad`, with the parameters that the kernel passes. */
  readonly wgsl: string;
  readonly includes?: readonly Source[];
  readonly params?: S;
  /**
   * The kind of target: a class index for each row of scores [N, C]; a list of class indices that ends with -1; or a
   * number for each class of [..., C].
   */
  readonly target: MarginLossOp['target'];
  /** The loss of a row before it is divided by C, in float64, and its derivatives. */
  readonly loss: (row: MarginRow, params: ParamsOf<S>) => number;
  readonly grad: (
    row: MarginRow,
    params: ParamsOf<S>,
    scores: Float64Array,
    target: Float64Array,
  ) => void;
  /** Error bounds that the tests check. */
  readonly accuracy?: Accuracy;
  /** Documentation for tables and the demo. The build removes it. */
  readonly docs?: OpDocs;
}

/** Options of a loss of rows of scores. */
export type MarginLossOptions<S extends ParamSpecs, Weighted extends boolean> = ParamOptions<S> & {
  /** `'mean'` (default) over the rows, `'sum'`, or `'none'` for the loss of each. */
  reduction?: Reduction;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
} & (Weighted extends true
    ? {
        /** A factor for each class, of shape [C]. */
        weight?: Tensor;
      }
    : unknown);

/** A loss of rows of scores. */
export interface MarginLoss<
  S extends ParamSpecs = ParamSpecs,
  Weighted extends boolean = boolean,
> extends Declared {
  (input: Tensor, target: Tensor, options?: MarginLossOptions<S, Weighted>): Tensor;
  readonly kind: 'loss';
}

interface AnyOptions {
  readonly weight?: Tensor;
  readonly reduction?: Reduction;
  readonly out?: Tensor;
}

type Weighted<W extends boolean> = { readonly weighted: W };

/** A declaration as it is, with its types: what is made of it here, and by `plan/margin-loss.ts`. */
export function declareMarginLoss<
  const S extends ParamSpecs = NoParams,
  const W extends boolean = boolean,
>(declaration: MarginLossDeclaration<S> & Weighted<W>): MarginLossDeclaration<S> & Weighted<W> {
  return declaration;
}

/** The kernel's op. */
export function marginLossOp<S extends ParamSpecs>(
  declaration: MarginLossDeclaration<S>,
): MarginLossOp {
  const { name, wgsl, includes, params = {} } = declaration;
  return {
    name,
    source: source(`${name}.wgsl`, wgsl, includes),
    params: layoutOf(params),
    target: declaration.target,
    loss: (row, p) => declaration.loss(row, p as ParamsOf<S>),
    grad: (row, p, scores, target) => {
      declaration.grad(row, p as ParamsOf<S>, scores, target);
    },
  };
}

/** The kernel's arguments, in the forward direction or with a gradOutput, for the gradients of input and target that are wanted. */
export function marginArgs(
  call: Pick<MarginLossArgs, 'op' | 'params' | 'rows' | 'n' | 'reduction'>,
  weights: boolean,
): (gradOutput: boolean, wanted: readonly boolean[]) => MarginLossArgs {
  return (gradOutput, [gradScores = false, gradTarget = false]) => ({
    ...call,
    inputs: { weights, gradOutput },
    outputs: { loss: !gradOutput, gradScores, gradTarget },
  });
}

/** Declares a loss of rows of scores. */
export function defineMarginLoss<
  const S extends ParamSpecs = NoParams,
  const Weighted extends boolean = boolean,
>(
  declaration: MarginLossDeclaration<S> & { readonly weighted: Weighted },
): MarginLoss<S, Weighted> {
  const { name, accuracy, docs, weighted } = declaration;
  const specs = declaration.params ?? ({} as S);
  const op = marginLossOp(declaration);
  const numbers = op.target === 'numbers';
  const others = ['reduction', 'out', ...(weighted ? ['weight'] : [])];

  const apply = (
    input: Tensor,
    target: Tensor,
    given: MarginLossOptions<S, Weighted> = {},
  ): Tensor => {
    const options: AnyOptions = given;
    const params = resolveParams(name, specs, others, options);
    const { weight, reduction = 'mean', out } = options;
    checkOneOf(name, 'reduction', reduction, REDUCTIONS);
    checkTensor(name, 'input', input);
    checkTensor(name, 'target', target, numbers ? [input.dtype] : ['int32']);
    checkDevice(name, 'target', target, input.device);
    input.device.check(name);
    const n = input.shape.at(-1) ?? 1;
    const rowShape = checkRows(op, input, target, n);
    if (weight !== undefined) {
      checkTensor(name, 'weight', weight);
      checkDevice(name, 'weight', weight, input.device);
      checkSameDType(name, 'weight', weight, input.dtype);
      checkShapeIs(name, 'weight', weight, [n]);
    }
    if (!numbers) checkLabels(op, target, n);
    const shape = reduction === 'none' ? rowShape : [];
    const inputs = [input, target];
    const plan = planGradients(inputs, reduction);
    checkOut(name, out, { device: input.device, dtype: input.dtype, shape }, plan.recording);

    const rows = sizeOf(rowShape);
    const args = marginArgs({ op, params, rows, n, reduction }, weight !== undefined);
    const operands = weight ? [...inputs, weight] : inputs;
    return recordFused({
      op: name,
      inputs,
      plan,
      operands,
      outputs: run(marginLoss, args(false, plan.fused), operands, [
        out ?? { shape, dtype: input.dtype },
        ...likesOf(inputs, plan.fused),
      ]),
      backward: (saved, gradOutput) =>
        run(marginLoss, args(true, plan.needs), [...saved, gradOutput], likesOf(saved, plan.needs)),
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
      const shape = op.target === 'class' ? [1] : [1, 2];
      const target = fromHost(
        encode(numbers ? dtype : 'int32', new Array<number>(sizeOf(shape)).fill(0)),
        shape,
        numbers ? dtype : 'int32',
        device,
      );
      for (const reduction of REDUCTIONS) {
        const options = { reduction } as MarginLossOptions<S, Weighted>;
        warmUp(device, dtype, [[1, 2]], (input) => {
          apply(input.detach(), target, options);
          return apply(input, target, options);
        });
      }
    },
  });
}

/** Checks scores and target against each other; returns the shape of one loss per row. */
export function checkRows(
  op: MarginLossOp,
  input: { readonly shape: Shape },
  target: { readonly shape: Shape },
  n: number,
): Shape {
  const [rank, size] = [target.shape.length, sizeOf(target.shape)];
  const refuse = (
    argument: string,
    expected: string,
    { shape }: { readonly shape: Shape },
  ): never => {
    throw new ShapeError({
      op: op.name,
      argument,
      expected,
      received: `shape ${formatShape(shape)}`,
    });
  };
  if (op.target === 'numbers') {
    if (input.shape.length === 0) refuse('input', 'shape [..., C]', input);
    checkShapeIs(op.name, 'target', target, input.shape);
    return input.shape.slice(0, -1);
  }
  if (input.shape.length > 2 || n === 0)
    refuse('input', 'shape [N, C] or [C], with C at least 1', input);
  // As in PyTorch, a single row may have a batch dimension or not.
  if (op.target === 'class') {
    const rows = input.shape.length === 2 ? (input.shape[0] ?? 0) : 1;
    if (rank > 1 || size !== rows)
      refuse('target', `shape ${formatShape(input.shape.length === 2 ? [rows] : [])}`, target);
    return target.shape;
  }
  if (input.shape.length === 2) checkShapeIs(op.name, 'target', target, input.shape);
  else if (rank > 1 || size !== n) refuse('target', formatShape([n]), target);
  return input.shape.slice(0, -1);
}

/**
 * Checks indices that the host knows. Indices known only on the GPU are checked there, and the next read throws the
 * error.
 */
function checkLabels(op: MarginLossOp, target: Tensor, n: number): void {
  const least = op.target === 'labels' ? -1 : 0;
  const wrong = target.storage(op.name).host?.find((index) => index < least || index >= n);
  if (wrong === undefined) return;
  throw new IndexOutOfRangeError({
    op: op.name,
    argument: 'target',
    expected: `class indices from 0 to ${n - 1}${least < 0 ? ', or -1' : ''}`,
    received: String(wrong),
  });
}

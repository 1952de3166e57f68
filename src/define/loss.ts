// Makes a loss function with reductions and gradients from the loss of one element and its gradient, declared in WGSL
// and in float64.
import type { Device } from '../core/device.ts';
import { isRecording } from '../core/autograd.ts';
import { run, runOne, type Output } from '../core/dispatcher.ts';
import { isTensor } from '../core/is-tensor.ts';
import { encode, type FloatDType } from '../core/dtype.ts';
import { pointwise, type PointwiseArgs } from '../kernels/pointwise/plan.ts';
import { castTo } from '../kernels/pointwise/basic.ts';
import { sumTo, view } from '../kernels/reduce/sum-to.ts';
import { broadcastShapes, sameShape, type Shape } from '../core/shape.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import {
  checkBroadcastsTo,
  checkOut,
  checkShapeIs,
  checkTensors,
  checkValues,
} from '../core/validate.ts';
import { checkNumber, checkOneOf } from '../core/validate-options.ts';
import { formulaOf } from './loss-formula.ts';
import { gradientLike, lossArgs, lossParts, namesOf, resolveLoss } from './loss-call.ts';
import { lossOps, type Variant } from './loss-ops.ts';
import type {
  DefineLoss,
  InputAndTarget,
  Loss,
  LossDeclaration,
  TensorNames,
  NoTensors,
} from './loss-types.ts';
import { planGradients, recordFused, type FusedCall } from './fused-gradient.ts';
import { defineOp } from './op.ts';
import { LENGTHS, warmUp } from './prepare.ts';
import { defaultsOf, type NoParams, type ParamSpecs, type ParamsOf } from './params.ts';
import type { AnyReduction, Reduction } from './reduction.ts';

export type { Loss, LossDeclaration, LossOptions } from './loss-types.ts';

export { REDUCTIONS, type Reduction } from './reduction.ts';

export { ALIKE, BROADCAST } from './shape-docs.ts';

/** Options whose values are not numbers. */
type Others = Readonly<Record<string, Tensor | undefined>> & {
  readonly reduction?: AnyReduction;
  readonly out?: Tensor;
};

/** A declaration as it is, with its types: what is made of it here, and by `plan/loss.ts`. */
export function declareLoss<
  const S extends ParamSpecs = NoParams,
  const N extends TensorNames = InputAndTarget,
  const D extends TensorNames = N,
  const W extends TensorNames = NoTensors,
  const R extends AnyReduction = Reduction,
>(declaration: LossDeclaration<S, N, D, W, R>): LossDeclaration<S, N, D, W, R> {
  return declaration;
}

/** Declares a pointwise loss: reductions, broadcasting, gradients, float16 and fusion follow from it. */
export const defineLoss: DefineLoss = <
  const S extends ParamSpecs,
  const N extends TensorNames,
  const D extends TensorNames,
  const W extends TensorNames,
  const R extends AnyReduction,
>(
  declaration: LossDeclaration<S, N, D, W, R>,
): Loss<S, N, W, R> => {
  const { name, docs, accuracy, arrange, domain = {}, numbers = [] } = declaration;
  const { weightsLikeInput = false, meanByWeight = false } = declaration;
  const specs = declaration.params ?? ({} as S);
  const { inputs, differentiable, weights, reductions } = namesOf(declaration);
  const parts = lossParts(declaration);
  const ops = lossOps(parts);
  const resolve = (options?: object): ParamsOf<S> => resolveLoss(declaration, options);
  const differentiated = differentiable.map((input) => inputs.indexOf(input));

  const apply = (values: readonly (Tensor | number)[], options: object): Tensor => {
    const params = resolve(options);
    const { reduction = reductions[0], out, ...rest } = options as Others;
    checkOneOf(name, 'reduction', reduction, reductions);
    const named = weights.flatMap((weight): [string, Tensor][] => {
      const tensor = rest[weight];
      return tensor === undefined ? [] : [[weight, tensor]];
    });
    const factors = named.map(([, tensor]) => tensor);
    const weighted = weights.map((weight) => rest[weight] !== undefined);
    const isNumber = (i: number): boolean =>
      typeof values[i] === 'number' && numbers.includes(inputs[i] ?? '');
    const positional = inputs.flatMap((input, i): [string, unknown][] =>
      isNumber(i) ? [] : [[input, values[i]]],
    );
    const device = checkTensors(name, Object.fromEntries([...positional, ...named]));
    const [first] = values as readonly Tensor[];
    const own = first?.shape ?? [];
    // A number goes with any shape, so that the check sees it as one of the right shape.
    const shapes = values.map((value) => (typeof value === 'number' ? own : value.shape));
    const arranged = arrange ? arrange(name, shapes, inputs) : shapes;
    const seen = arranged.map((shape, i) => (isNumber(i) ? [] : shape));
    const shape = broadcastShapes(name, seen, inputs.at(-1));
    for (const [weight, tensor] of named) {
      if (weightsLikeInput) checkShapeIs(name, weight, tensor, own);
      checkBroadcastsTo(name, weight, tensor, shape);
    }
    const withGradient = [
      ...differentiated,
      ...(parts.weightBackward ? factors.map((_, k) => inputs.length + k) : []),
    ];
    const reduced = reduction !== 'none';
    const like = { device, dtype: first?.dtype ?? 'float32', shape: reduced ? [] : shape } as const;
    const all = [...values, ...factors];
    const recording = isRecording(withGradient.map((i) => all[i]).filter(isTensor));
    checkOut(name, out, like, recording);
    inputs.forEach((input, i) => {
      const [range, value] = [domain[input], values[i]];
      if (typeof value === 'number') checkNumber(name, input, value, range);
      else if (range && value) checkValues(name, input, value, range);
    });

    const given = values.map((value) =>
      typeof value === 'number'
        ? fromHost(encode('float32', [value]), [], 'float32', device)
        : value,
    );
    const operands = given.map((tensor, i) => seenAs(tensor, seen[i] ?? tensor.shape));
    const tensors = [...operands, ...factors];
    const leaves = withGradient.flatMap((i) => [...given, ...factors][i] ?? []);
    const plan = planGradients(leaves, reduction);
    const total =
      meanByWeight && reduction === 'mean' && factors[0] ? sumTo(factors[0], [], 'float32') : null;
    const variantOf = (flags: readonly boolean[]): Variant => {
      let next = differentiated.length;
      return {
        needs: flags.slice(0, next),
        weightNeeds: weighted.map((is) => is && (flags[next++] ?? false)),
        weighted,
        divided: total !== null,
      };
    };
    const variant = variantOf(plan.needs);
    // The gradient of such a weight needs the mean, which the forward pass does not have yet.
    const late = total !== null && variant.weightNeeds.includes(true);
    const fused = late ? plan.fused.map(() => false) : plan.fused;
    const weighs = total ? (factors[0]?.size ?? 1) : null;
    const args = lossArgs(ops, { params, shape, own, reduction, weighs });
    const call: LossCall = {
      shape,
      withGradient,
      shapes: [...given, ...factors].map((tensor) => tensor.shape),
      args: args.backward(variant),
    };
    const [result, ...raw] = run(
      pointwise,
      args.forward(variantOf(fused)),
      total && fused.includes(true) ? [...tensors, total] : tensors,
      [
        total ? { shape: [], dtype: 'float32' } : (out ?? like),
        ...gradientsLike(call, tensors, fused),
      ],
    );
    const mean = total
      ? dividedBy(result, total, late ? { ...like, dtype: 'float32' } : (out ?? like))
      : result;
    const output = mean.dtype === like.dtype ? mean : castTo(mean, like.dtype);
    const recorded = recordFused({
      op: name,
      inputs: leaves,
      plan: { ...plan, fused },
      operands: [...tensors, ...(total ? [total] : []), ...(late ? [mean] : [])],
      outputs: [output, ...fitted(call, raw, tensors, fused)],
      backward: backwardOf(call, plan.needs),
    });
    operands.forEach((operand, i) => {
      if (operand !== values[i]) operand.dispose();
    });
    if (total) result.dispose();
    total?.dispose();
    if (mean !== output) mean.dispose();
    return recorded;
  };
  /** The mean by weights: a sum of losses over a sum of weights. */
  const dividedBy = (losses: Tensor, total: Tensor, to: Output): Tensor =>
    runOne(pointwise, { op: ops.quotient, params: {}, shape: [] }, [losses, total], to);

  const loss = (...args: readonly unknown[]): Tensor => {
    const options = args[inputs.length];
    return apply(
      inputs.map((_, i) => args[i] as Tensor | number),
      options === undefined ? {} : (options as object),
    );
  };
  const declared = defineOp(loss as unknown as (...args: never[]) => Tensor, {
    op: name,
    kind: 'loss',
    docs,
    accuracy,
    params: defaultsOf(specs),
    specs,
    weights,
    ...(weightsLikeInput ? { weightsOf: 'of the shape of the input' } : {}),
    reductions,
    prepare: (device: Device, dtype: FloatDType) => {
      for (const reduction of ['mean', 'none'] as const) {
        for (const length of LENGTHS) {
          warmUp(device, dtype, [[length]], (input) =>
            apply([input, ...inputs.slice(1).map(() => input.detach())], { reduction }),
          );
        }
      }
    },
  });
  return Object.assign(declared, {
    formula: formulaOf(declaration, parts, domain, resolve, apply),
  }) as unknown as Loss<S, N, W, R>;
};

/** What a backward pass needs to know of a call. It contains no tensors, because the graph must not keep them. */
interface LossCall {
  readonly shape: Shape;
  /** For each input or weight that may have a gradient, its index among all inputs and the weights that are given. */
  readonly withGradient: readonly number[];
  /** The shapes of the inputs and the weights as the caller passed them. */
  readonly shapes: readonly Shape[];
  readonly args: PointwiseArgs;
}

/** Computes gradients from the inputs and an upstream gradient in one launch, so that they are rounded once. */
function backwardOf(call: LossCall, needs: readonly boolean[]): FusedCall['backward'] {
  return (saved, gradOutput) => {
    const likes = gradientsLike(call, saved, needs);
    return fitted(call, run(pointwise, call.args, [...saved, gradOutput], likes), saved, needs);
  };
}

/** A view of the same memory with another shape, or the tensor itself if it has this shape. */
function seenAs(tensor: Tensor, shape: Shape): Tensor {
  return sameShape(tensor.shape, shape) ? tensor : view(tensor, shape);
}

/**
 * The tensors for the gradients that are needed. Gradients that will be summed are float32, so that they are rounded
 * once.
 */
function gradientsLike(
  { shape, withGradient }: LossCall,
  operands: readonly Tensor[],
  needs: readonly boolean[],
): { shape: Shape; dtype: FloatDType }[] {
  return withGradient.flatMap((i, k) => {
    const operand = operands[i];
    if (!operand || !needs[k]) return [];
    return [gradientLike(operand, shape)];
  });
}

/** The gradients that are needed, each summed over the dimensions along which its input was broadcast. */
function fitted(
  { withGradient, shapes }: LossCall,
  grads: readonly Tensor[],
  operands: readonly Tensor[],
  needs: readonly boolean[],
): Tensor[] {
  const wanted = withGradient.filter((_, k) => needs[k]);
  return grads.flatMap((grad, k) => {
    const i = wanted[k] ?? 0;
    const operand = operands[i];
    if (!operand) return [];
    const summed = sumTo(grad, operand.shape, operand.dtype);
    grad.dispose();
    const shape = shapes[i] ?? operand.shape;
    if (sameShape(shape, summed.shape)) return summed;
    const shaped = view(summed, shape);
    summed.dispose();
    return shaped;
  });
}

// Makes a loss function with reductions and gradients from the loss of one element and its gradient, declared in WGSL
// and in float64.
import type { Device } from '../core/device.ts';
import { run } from '../core/dispatcher.ts';
import type { DType, FloatDType } from '../core/dtype.ts';
import { pointwise, type PointwiseArgs } from '../kernels/pointwise/plan.ts';
import { sumTo, view } from '../kernels/reduce/sum-to.ts';
import { broadcastShapes, sameShape, type Shape } from '../core/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkBroadcastsTo, checkOut, checkTensors, checkValues } from '../core/validate.ts';
import { checkOneOf } from '../core/validate-options.ts';
import { lossOps, type LossParts } from './loss-ops.ts';
import type {
  InputAndTarget,
  Loss,
  LossDeclaration,
  LossFormula,
  Names,
  NoNames,
} from './loss-types.ts';
import { checkDeclaration, checkNames } from './check-declaration.ts';
import { planGradients, recordFused, type FusedCall } from './fused-gradient.ts';
import { defineOp } from './op.ts';
import { LENGTHS, warmUp } from './prepare.ts';
import {
  defaultsOf,
  layoutOf,
  resolveParams,
  type NoParams,
  type ParamSpecs,
  type ParamsOf,
} from './params.ts';
import {
  ALL_REDUCTIONS,
  divisorOf,
  REDUCTIONS,
  type AnyReduction,
  type Reduction,
} from './reduction.ts';

export type { Loss, LossDeclaration, LossOptions } from './loss-types.ts';

/** The component names of a WGSL vector, which `loss_grad` returns. */
const MOST_GRADIENTS = 4;
export { REDUCTIONS, type Reduction } from './reduction.ts';

/** Options whose values are not numbers. */
type Others = Readonly<Record<string, Tensor | undefined>> & {
  readonly reduction?: AnyReduction;
  readonly out?: Tensor;
};

/** Declares a pointwise loss: reductions, broadcasting, gradients, float16 and fusion follow from it. */
export function defineLoss<
  const S extends ParamSpecs = NoParams,
  const N extends Names = InputAndTarget,
  const D extends Names = N,
  const W extends Names = NoNames,
  const R extends AnyReduction = Reduction,
>(declaration: LossDeclaration<S, N, D, W, R>): Loss<S, N, W, R> {
  checkDeclaration('defineLoss', declaration, ['forward', 'backward']);
  const { name, docs, accuracy, arrange, domain = {} } = declaration;
  const specs = declaration.params ?? ({} as S);
  const {
    inputs = ['input', 'target'],
    weights = [],
    reductions = REDUCTIONS,
  }: {
    inputs?: Names;
    weights?: Names;
    reductions?: readonly [AnyReduction, ...AnyReduction[]];
  } = declaration;
  const { differentiable = inputs }: { differentiable?: Names } = declaration;
  checkNames('defineLoss', 'inputs', inputs);
  checkNames('defineLoss', 'differentiable', differentiable, inputs, MOST_GRADIENTS);
  const given: unknown = weights;
  checkNames('defineLoss', 'weights', Array.isArray(given) ? inputs.concat(weights) : given);
  checkNames('defineLoss', 'reductions', reductions, ALL_REDUCTIONS);
  const parts: LossParts = {
    name,
    wgsl: declaration.wgsl,
    includes: declaration.includes ?? [],
    params: layoutOf(specs),
    inputs,
    differentiable,
    weights,
    forward: declaration.forward as LossParts['forward'],
    backward: declaration.backward as LossParts['backward'],
  };
  const ops = lossOps(parts);
  const others = [...weights, 'reduction', 'out'];
  const resolve = (options?: object): ParamsOf<S> => resolveParams(name, specs, others, options);
  const withGradient = differentiable.map((input) => inputs.indexOf(input));

  const apply = (given: readonly Tensor[], options: object): Tensor => {
    const params = resolve(options);
    const { reduction = reductions[0], out, ...rest } = options as Others;
    checkOneOf(name, 'reduction', reduction, reductions);
    const named = weights.flatMap((weight): [string, Tensor][] => {
      const tensor = rest[weight];
      return tensor === undefined ? [] : [[weight, tensor]];
    });
    const factors = named.map(([, tensor]) => tensor);
    const positional = inputs.map((input, i): [string, Tensor | undefined] => [input, given[i]]);
    const device = checkTensors(name, Object.fromEntries([...positional, ...named]));
    const shapes = given.map((tensor) => tensor.shape);
    const seen = arrange ? arrange(name, shapes) : shapes;
    const shape = broadcastShapes(name, seen, inputs.at(-1));
    for (const [weight, tensor] of named) checkBroadcastsTo(name, weight, tensor, shape);
    const leaves = withGradient.flatMap((i) => given[i] ?? []);
    const plan = planGradients(leaves, reduction);
    const reduced = reduction !== 'none';
    const like = { device, dtype: dtypeOf(given), shape: reduced ? [] : shape };
    checkOut(name, out, like, plan.recording);
    for (const [i, tensor] of given.entries()) {
      const range = domain[inputs[i] ?? ''];
      if (range) checkValues(name, inputs[i] ?? '', tensor, range);
    }

    const { needs, fused } = plan;
    const weighted = weights.map((weight) => rest[weight] !== undefined);
    const divisor = divisorOf(reduction, shape, shapes[0] ?? []);
    const call: LossCall = {
      shape,
      withGradient,
      shapes,
      args: { op: ops.backward({ needs, weighted }), params, shape, scale: 1 / divisor },
    };
    const operands = given.map((tensor, i) => seenAs(tensor, seen[i] ?? tensor.shape));
    const tensors = [...operands, ...factors];
    const [output, ...raw] = run(
      pointwise,
      {
        ...call.args,
        op: ops.forward({ needs: fused, weighted }),
        ...(reduced ? { sum: divisor } : {}),
      },
      tensors,
      [out ?? like, ...gradientsLike(call, operands, fused)],
    );
    const recorded = recordFused({
      op: name,
      inputs: leaves,
      plan,
      operands: tensors,
      outputs: [output, ...fitted(call, raw, operands, fused)],
      backward: backwardOf(call, needs),
    });
    operands.forEach((operand, i) => {
      if (operand !== given[i]) operand.dispose();
    });
    return recorded;
  };

  const loss = (...args: readonly unknown[]): Tensor => {
    const options = args[inputs.length];
    return apply(
      inputs.map((_, i) => args[i] as Tensor),
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
}

/** What a backward pass needs to know of a call. It contains no tensors, because the graph must not keep them. */
interface LossCall {
  readonly shape: Shape;
  /** For each differentiable input, its index among all inputs. */
  readonly withGradient: readonly number[];
  /** The shapes of the inputs as the caller passed them. */
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

function dtypeOf([first]: readonly Tensor[]): DType {
  return first?.dtype ?? 'float32';
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
    const wide = operand.dtype === 'float16' && sameShape(operand.shape, shape);
    return [{ shape, dtype: wide ? 'float16' : 'float32' }];
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

/** A declaration without its types, for `checkGradient`. */
function formulaOf<S extends ParamSpecs>(
  {
    largestTerm,
  }: { readonly largestTerm?: { readonly forward?: unknown; readonly backward?: unknown } },
  { inputs, weights, differentiable, forward, backward }: LossParts,
  domain: LossFormula['domain'],
  resolve: LossFormula<S>['resolve'],
  apply: LossFormula['apply'],
): LossFormula<S> {
  const terms = largestTerm as
    { forward?: LossParts['forward']; backward?: LossParts['backward'] } | undefined;
  return {
    inputs,
    weights,
    differentiable,
    domain,
    resolve,
    forward: (args, params) => forward(...args, params),
    backward: (args, gradOutput, params) => backward(...args, gradOutput, params),
    largestTerms: (args, params) => [
      terms?.forward?.(...args, params) ?? 0,
      ...(terms?.backward?.(...args, params) ?? differentiable.map(() => 0)),
    ],
    apply,
  };
}

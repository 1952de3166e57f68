// In: a declaration: the loss of one element and its gradient, in WGSL and float64. Out: a function with reductions and
// gradients; where a gradient is needed of a reduced loss, it is written in the forward pass.
import { isRecording, record } from '../autograd.ts';
import type { Device } from '../device.ts';
import { run } from '../dispatcher.ts';
import type { FloatDType } from '../dtype.ts';
import { source, type Source } from '../gpu/link.ts';
import type { ParamValues } from '../kernels/params.ts';
import type { Binary } from '../kernels/pointwise-cpu.ts';
import { pointwise, type PointwiseOp } from '../kernels/pointwise.ts';
import { sumTo } from '../kernels/sum-to.ts';
import { broadcastShapes, sameShape, sizeOf, type Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { checkOneOf, checkOut, checkTensors } from '../validate.ts';
import { defineOp, type Accuracy, type Declared, type OpDocs } from './op.ts';
import { warmUp } from './prepare.ts';
import {
  defaultsOf,
  layoutOf,
  resolveParams,
  type NoParams,
  type ParamOptions,
  type ParamSpecs,
  type ParamsOf,
} from './params.ts';

export type Reduction = 'none' | 'mean' | 'sum';
export const REDUCTIONS: readonly Reduction[] = ['none', 'mean', 'sum'];

export interface LossDeclaration<S extends ParamSpecs> {
  readonly name: string;
  /**
   * WGSL: `fn loss(input: f32, expected: f32, p: Params) -> f32` and `fn loss_grad(input: f32, expected: f32,
   * grad_output: f32, p: Params) -> vec2f`, the gradients with respect to both (`target` is a reserved word in WGSL).
   * `Params` holds the options in snake_case; `p` is there even if there are none.
   */
  readonly wgsl: string;
  /** The files that `//#include` lines in `wgsl` name. */
  readonly includes?: readonly Source[];
  /** Numeric options with their defaults; none by default. */
  readonly params?: S;
  /** The loss of one element in float64. */
  readonly forward: (input: number, target: number, params: ParamsOf<S>) => number;
  /** Its gradients with respect to input and target, in float64. */
  readonly backward: (
    input: number,
    target: number,
    gradOutput: number,
    params: ParamsOf<S>,
  ) => readonly [input: number, target: number];
  /** Bounds for the tests. */
  readonly accuracy?: Accuracy;
  /** For tables and the demo; the build leaves it out. */
  readonly docs?: OpDocs;
}

export type LossOptions<S extends ParamSpecs> = ParamOptions<S> & {
  /** `'mean'` (default) over all elements, `'sum'`, or `'none'` for the loss of each element. */
  reduction?: Reduction;
  /** Written instead of a new tensor. Only where no gradient is recorded. */
  out?: Tensor;
};

/** A loss of input and target, broadcast as in PyTorch. A scalar, or of the broadcast shape for `'none'`. */
export interface Loss<S extends ParamSpecs = ParamSpecs> extends Declared {
  (input: Tensor, target: Tensor, options?: LossOptions<S>): Tensor;
  readonly kind: 'loss';
  /** @internal One element in float64, for `checkGradient`. */
  readonly formula: {
    readonly resolve: (options?: object) => ParamsOf<S>;
    readonly forward: LossDeclaration<S>['forward'];
    readonly backward: LossDeclaration<S>['backward'];
  };
}

/** Which of input and target need a gradient. */
type Needs = readonly [input: boolean, target: boolean];
const NEEDS: readonly Needs[] = [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
];

/** Declares a pointwise loss: reductions, broadcasting, gradients, float16 and fusion follow from it. */
export function defineLoss<const S extends ParamSpecs = NoParams>(
  declaration: LossDeclaration<S>,
): Loss<S> {
  const { name, wgsl, docs, accuracy } = declaration;
  const specs = declaration.params ?? ({} as S);
  const common = {
    name,
    source: source(`${name}.wgsl`, wgsl, declaration.includes),
    params: layoutOf(specs),
  };

  /** The loss, followed by the gradients that are needed, with the upstream gradient `u.scale`. */
  const forwardOps = NEEDS.map((needs): PointwiseOp => {
    const grads = components(needs);
    return {
      ...common,
      inputs: ['input', 'expected'],
      results: 1 + grads.length,
      body: [
        grads.length > 0 ? '  let g = loss_grad(input, expected, u.scale, p);' : '',
        `  return Results(${['loss(input, expected, p)', ...grads].join(', ')});`,
      ].join('\n'),
      reference: ([input = NaN, target = NaN], r, p, _index, scale) => {
        const params = p as ParamsOf<S>;
        r[0] = declaration.forward(input, target, params);
        if (grads.length > 0)
          spread(declaration.backward(input, target, scale, params), needs, r, 1);
      },
      ...(grads.length === 0 ? { binary: declaration.forward as Binary } : {}),
    };
  });
  /** The gradients that are needed, from the upstream gradient of each element. */
  const backwardOps = NEEDS.map((needs): PointwiseOp => ({
    ...common,
    inputs: ['input', 'expected', 'grad_output'],
    results: components(needs).length,
    body: `  let g = loss_grad(input, expected, grad_output * u.scale, p);\n  return Results(${components(needs).join(', ')});`,
    reference: ([input = NaN, target = NaN, gradOutput = NaN], r, p, _index, scale) => {
      spread(
        declaration.backward(input, target, gradOutput * scale, p as ParamsOf<S>),
        needs,
        r,
        0,
      );
    },
  }));

  /** Gradients from the inputs and the upstream gradient, in one rounding; null where none is needed. */
  const gradients = (
    [input, target]: readonly Tensor[],
    gradOutput: Tensor,
    needs: Needs,
    shape: Shape,
    params: ParamValues,
    scale: number,
  ): (Tensor | null)[] => {
    if (!input || !target) return [];
    const operands = [input, target];
    const wanted = operands.filter((_, i) => needs[i]);
    // float32 where it is summed over broadcast dimensions, so that it is rounded once.
    const like = wanted.map((operand) => ({
      shape,
      dtype: sameShape(operand.shape, shape) ? operand.dtype : ('float32' as const),
    }));
    const args = { op: pick(backwardOps, needs), params, shape, scale };
    const grads = run(pointwise, args, [input, target, gradOutput], like);
    return distribute(grads, needs, operands);
  };

  const loss = (input: Tensor, target: Tensor, options: LossOptions<S> = {}): Tensor => {
    const params = resolveParams(name, specs, ['reduction', 'out'], options);
    const { reduction = 'mean', out } = options;
    checkOneOf(name, 'reduction', reduction, REDUCTIONS);
    const device = checkTensors(name, { input, target });
    const shape = broadcastShapes(name, [input.shape, target.shape], 'target');
    const reduced = reduction !== 'none';
    const recording = isRecording([input, target]);
    const like = { device, dtype: input.dtype, shape: reduced ? [] : shape };
    checkOut(name, out, like, recording);

    const count = reduction === 'mean' ? sizeOf(shape) : 1;
    const operands = [input, target];
    // Where the upstream gradient is likely 1, gradients are written in this pass. Those of a broadcast operand would
    // have to be summed first.
    const ahead = operands.map(
      (operand) => reduced && recording && operand.requiresGrad && sameShape(operand.shape, shape),
    );
    const fused: Needs = [ahead[0] ?? false, ahead[1] ?? false];
    const [output, ...written] = run(
      pointwise,
      {
        op: pick(forwardOps, fused),
        params,
        shape,
        scale: 1 / count,
        ...(reduced ? { sum: count } : {}),
      },
      operands,
      [
        out ?? like,
        ...operands.filter((_, i) => fused[i]).map((operand) => ({ shape, dtype: operand.dtype })),
      ],
    );
    const recorded = record(
      output,
      name,
      operands,
      [...operands, ...written],
      (upstream, saved, needed) => {
        const missing = needed.map((need, i) => need && !(upstream.isOne && fused[i]));
        const needs: Needs = [missing[0] ?? false, missing[1] ?? false];
        const grads = needs.includes(true)
          ? gradients(saved, upstream.tensor, needs, shape, params, 1 / count)
          : [null, null];
        let k = operands.length;
        return grads.map((grad, i) => {
          const ready = fused[i] ? saved[k++] : undefined;
          return needed[i] && !grad ? (ready?.detach() ?? null) : grad;
        });
      },
    );
    for (const grad of written) grad.dispose();
    return recorded;
  };

  const declared = defineOp(loss, {
    op: name,
    kind: 'loss',
    docs,
    accuracy,
    params: defaultsOf(specs),
    specs,
    prepare: (device: Device, dtype: FloatDType) => {
      for (const reduction of ['mean', 'none'] as const) {
        warmUp(device, dtype, [[1]], (input) =>
          loss(input, input.detach(), { reduction } as LossOptions<S>),
        );
      }
    },
  });
  const { forward, backward } = declaration;
  const resolve = (options?: object): ParamsOf<S> =>
    resolveParams(name, specs, ['reduction', 'out'], options);
  return Object.assign(declared, { formula: { resolve, forward, backward } });
}

/** The WGSL components of `loss_grad`'s result that are needed. */
function components(needs: Needs): string[] {
  return ['g.x', 'g.y'].filter((_, k) => needs[k]);
}

function spread(
  grads: readonly [number, number],
  needs: Needs,
  r: Float64Array,
  from: number,
): void {
  let k = from;
  for (const [i, grad] of grads.entries()) if (needs[i]) r[k++] = grad;
}

function pick(ops: readonly PointwiseOp[], needs: Needs): PointwiseOp {
  const op = ops[(needs[0] ? 1 : 0) + (needs[1] ? 2 : 0)];
  if (!op) throw new RangeError('no such combination of gradients');
  return op;
}

/** One gradient per operand, null where none is needed, summed over the dimensions it was broadcast along. */
function distribute(
  grads: readonly Tensor[],
  needs: readonly boolean[],
  operands: readonly Tensor[],
): (Tensor | null)[] {
  let k = 0;
  return operands.map(({ shape, dtype }, i) => {
    const grad = needs[i] ? grads[k++] : undefined;
    if (!grad) return null;
    const summed = sumTo(grad, shape, dtype);
    grad.dispose();
    return summed;
  });
}

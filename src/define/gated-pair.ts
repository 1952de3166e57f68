// Makes the form of a gated activation that takes its two operands as two tensors: the gate and what it is multiplied with.
import { isRecording, record } from '../core/autograd.ts';
import { run, runOne } from '../core/dispatcher.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkOut, checkShapeIs, checkTensors } from '../core/validate.ts';
import { pointwise, type PointwiseOp } from '../kernels/pointwise/plan.ts';
import { bits } from '../shader/lib.ts';
import { source, type Source } from '../shader/link.ts';
import type { ParamLayout, ParamValues } from '../shader/params.ts';
import type { Activation } from './activation.ts';
import type { ParamSpecs, ParamsOf } from './params.ts';

export interface GatedPair {
  /**
   * WGSL: `fn forward(x: f32, p: Params) -> f32` and `fn backward(x: f32, grad_output: f32, p: Params) -> f32` of the gate's
   * activation, and what `operands` calls.
   */
  readonly source: Source;
  readonly params: ParamLayout;
  /** WGSL expressions: the gate and the other operand as they are multiplied, and whether each passes its gradient. */
  readonly operands?: Readonly<Record<'gate' | 'up' | 'gatePasses' | 'upPasses', string>>;
  /** The options, checked. `others` are names of options that the caller checks. */
  readonly resolve: (op: string, options: object, others: readonly string[]) => ParamValues;
  readonly forward: (gate: number, up: number, params: ParamValues) => number;
  readonly backward: (
    gate: number,
    up: number,
    gradOutput: number,
    params: ParamValues,
  ) => readonly [gate: number, up: number];
}

/** @internal The pair of an activation, with its options. */
export function pairOf<S extends ParamSpecs>({
  epilogue,
}: {
  readonly epilogue: Omit<Activation<S>['epilogue'], 'gradient' | 'largestTerm'>;
}): GatedPair {
  const { forward, backward } = epilogue;
  return {
    source: epilogue.source,
    params: epilogue.layout,
    resolve: (op, options, others) => epilogue.resolve(op, options, others),
    forward: (gate, up, p) => forward(gate, p as ParamsOf<S>) * up,
    backward: (gate, up, g, p) => [
      backward(gate, g * up, p as ParamsOf<S>),
      g * forward(gate, p as ParamsOf<S>),
    ],
  };
}

const PLAIN = { gate: 'gate', up: 'up', gatePasses: 'true', upPasses: 'true' };

/** The pointwise ops of a pair. */
export function pairOps(
  name: string,
  { params: layout, operands = PLAIN, forward, backward, ...pair }: GatedPair,
): { readonly forwardOp: PointwiseOp; readonly backwardOp: PointwiseOp } {
  const file = source(`${name}-pair.wgsl`, `//#include "${bits.name}"\n${pair.source.text}`, [
    bits,
    ...pair.source.includes,
  ]);
  const common = { name, source: file, params: layout };
  const forwardOp: PointwiseOp = {
    ...common,
    inputs: ['gate', 'up'],
    results: 1,
    // Near 0 the activation may underflow to 0, although its product with a large operand would not: see gated.wgsl.
    body: `  let a = ${operands.gate};
  let b = ${operands.up};
  let f = forward(a, p);
  let tiny = (f == 0.0) & (a != 0.0) & (abs(a) < 0x1p-100f);
  return Results(select(f * b, backward(a, 1.0, p) * (a * b), tiny));`,
    reference: ([gate = NaN, up = NaN], r, p) => {
      r[0] = forward(gate, up, p);
    },
    inPlace: [0],
  };
  const backwardOp: PointwiseOp = {
    ...common,
    inputs: ['gate', 'up', 'g'],
    results: 2,
    // g times the operand may overflow although a small slope makes the result finite: see gated.wgsl.
    body: `  let a = ${operands.gate};
  let b = ${operands.up};
  let large = is_inf(g * b) & !is_inf(g) & !is_inf(b);
  let scale = select(1.0, 0x1p-64f, large);
  let grad_gate = backward(a, (g * scale) * b, p) / scale;
  let grad_up = g * forward(a, p);
  return Results(select(0.0, grad_gate, ${operands.gatePasses}), select(0.0, grad_up, ${operands.upPasses}));`,
    reference: ([gate = NaN, up = NaN, g = NaN], r, p) => {
      [r[0], r[1]] = backward(gate, up, g, p);
    },
  };
  return { forwardOp, backwardOp };
}

/** `act(gate) · up` of two tensors of one shape, with gradients for both. */
export function definePair(
  name: string,
  pair: GatedPair,
): (gate: Tensor, up: Tensor, options?: { readonly out?: Tensor }) => Tensor {
  const { forwardOp, backwardOp } = pairOps(name, pair);
  return (gate, up, options = {}) => {
    const params = pair.resolve(name, options, ['out']);
    checkTensors(name, { gate, up });
    checkShapeIs(name, 'up', up, gate.shape);
    const { out } = options;
    checkOut(name, out, gate, isRecording([gate, up]));
    const like = gate.like();
    const args = { params, shape: like.shape };
    const output = runOne(pointwise, { op: forwardOp, ...args }, [gate, up], out ?? like);
    return record(output, name, [gate, up], [gate, up], (upstream, saved, needs) => {
      const inputs = [...saved, upstream.tensor];
      const grads = run(pointwise, { op: backwardOp, ...args }, inputs, [like, like]);
      return grads.map((grad, i) => {
        if (needs[i]) return grad;
        grad.dispose();
        return null;
      });
    });
  };
}

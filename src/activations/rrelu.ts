import wgsl from '../../shaders/activations/rrelu.wgsl?raw';
import { isRecording, record } from '../core/autograd.ts';
import type { ActivationModule } from '../define/module.ts';
import { checkInPlace, recordInPlace, type InPlaceOption } from '../define/in-place.ts';
import { defineOp } from '../define/op.ts';
import { LENGTHS, warmUp } from '../define/prepare.ts';
import { runOne } from '../core/dispatcher.ts';
import { threefry } from '../shader/lib.ts';
import { source } from '../shader/link.ts';
import type { ParamValues } from '../shader/params.ts';
import { pointwise, type PointwiseOp } from '../kernels/pointwise/plan.ts';
import { copyOf } from '../kernels/pointwise/basic.ts';
import { Module } from '../nn/module.ts';
import { uniformAt, withKey } from '../core/random.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkOut, checkTensors } from '../core/validate.ts';
import {
  checkBoolean,
  checkNumber,
  checkOptionNames,
  checkOrder,
} from '../core/validate-options.ts';

const common = {
  name: 'rrelu',
  source: /* @__PURE__ */ source('activations/rrelu.wgsl', wgsl, [threefry]),
  params: { names: ['lower', 'span', 'key0', 'key1'], integers: ['key0', 'key1'] },
  results: 1,
};
const slopeAt = (index: number, { lower = 0, span = 0, key0 = 0, key1 = 0 }: ParamValues): number =>
  lower + span * uniformAt([key0, key1], index);
const forwardOp: PointwiseOp = {
  ...common,
  inputs: ['x'],
  body: '  return Results(forward(x, index, p));',
  reference: ([x = NaN], r, p, index) => {
    r[0] = x > 0 ? x : slopeAt(index, p) * x;
  },
  inPlace: [0],
};
const backwardOp: PointwiseOp = {
  ...common,
  inputs: ['x', 'grad_output'],
  body: '  return Results(backward(x, grad_output, index, p));',
  reference: ([x = NaN, gradOutput = NaN], r, p, index) => {
    r[0] = x > 0 ? gradOutput : slopeAt(index, p) * gradOutput;
  },
};

/** Between which slopes `rrelu` draws. */
export interface RReluBounds {
  /** The smallest slope. Defaults to 1/8. */
  lower?: number;
  /** The largest slope. Defaults to 1/3. */
  upper?: number;
}

/** Options of `rrelu`. */
export interface RReluOptions extends RReluBounds, InPlaceOption {
  /** Whether slopes are drawn; otherwise each is (lower + upper) / 2. Defaults to false. */
  training?: boolean;
  /** Written instead of a new tensor; may be `x` itself. Only where no gradient is recorded. */
  out?: Tensor;
}

/** Both slopes, checked. */
function boundsOf(
  op: string,
  { lower = 1 / 8, upper = 1 / 3 }: RReluBounds,
): Required<RReluBounds> {
  checkNumber(op, 'lower', lower);
  checkNumber(op, 'upper', upper);
  checkOrder(op, ['lower', lower], ['upper', upper]);
  return { lower, upper };
}

/** The kernel's options where nothing is drawn. */
function meanSlope({ lower, upper }: Required<RReluBounds>): ParamValues {
  return { lower: (lower + upper) / 2, span: 0, key0: 0, key1: 0 };
}

/** For plans of it. */
export default { forwardOp, backwardOp, boundsOf, meanSlope };

function apply(x: Tensor, options: RReluOptions = {}): Tensor {
  checkOptionNames('rrelu', options, ['lower', 'upper', 'training', 'inplace', 'out']);
  const { lower, upper } = boundsOf('rrelu', options);
  const { training = false, out } = options;
  checkBoolean('rrelu', 'training', training);
  checkTensors('rrelu', { x });
  const recording = isRecording([x]);
  checkOut('rrelu', out, x, recording);
  const over = checkInPlace('rrelu', options, x, recording);
  const params = training
    ? withKey(([key0, key1]) => ({ lower, span: upper - lower, key0, key1 }))
    : meanSlope({ lower, upper });
  // With slopes of at least 0 the result has the sign of x, which is all that the gradient needs of it.
  const copied = over && recording && lower < 0;
  const kept = copied ? copyOf(x) : x;
  const args = { op: forwardOp, params, shape: x.shape };
  const output = runOne(pointwise, args, [x], over ? x : (out ?? x.like()));
  const keep = over ? recordInPlace : record;
  const recorded = keep(output, 'rrelu', [x], [kept], (upstream, [saved]) => {
    if (!saved) return [];
    const args = { op: backwardOp, params, shape: saved.shape };
    return [runOne(pointwise, args, [saved, upstream.tensor], saved.like())];
  });
  if (copied) kept.dispose();
  return recorded;
}

/**
 * Randomised leaky rectifier: x above 0, else slope · x, with a slope per element drawn between lower and upper in
 * training (repeatable with `manualSeed`, the same on every device), and their mean otherwise. At 0 the gradient is the slope.
 *
 * @example rrelu(x, { training: true })
 */
export const rrelu = /* @__PURE__ */ defineOp(apply, {
  op: 'rrelu',
  kind: 'activation',
  params: { lower: 1 / 8, upper: 1 / 3 },
  accuracy: { forward: 1, backward: 1 },
  docs: {
    tex: String.raw`\begin{cases} x & x > 0 \\ a x & x \le 0 \end{cases}, \quad a \sim U(\mathrm{lower}, \mathrm{upper})`,
    derivative: String.raw`\begin{cases} 1 & x > 0 \\ a & x \le 0 \end{cases}`,
    range: String.raw`(-\infty, \infty)`,
    torch: 'rrelu',
    cite: 'Xu, Wang, Chen & Li 2015, Empirical Evaluation of Rectified Activations in Convolutional Network',
    kinks: 'the gradient at x = 0 is the slope a',
    use: 'A leakyRelu with random slopes. It regularises, which helps when a small data set is overfitted. It is random in training mode, so call eval() before you use the model.',
  },
  prepare: (device, dtype) => {
    for (const length of LENGTHS) warmUp(device, dtype, [[length]], (x) => apply(x));
  },
});

/** `rrelu` as a module: random in training mode only. */
export class RReLU extends Module implements ActivationModule {
  /** The smallest slope. */
  readonly lower: number;
  /** The largest slope. */
  readonly upper: number;

  /** Whether the result is written over the input. */
  readonly inplace: boolean;

  constructor(options: RReluBounds & InPlaceOption = {}) {
    super();
    checkOptionNames('RReLU', options, ['lower', 'upper', 'inplace']);
    this.inplace = options.inplace ?? false;
    const { lower, upper } = boundsOf('RReLU', options);
    this.lower = lower;
    this.upper = upper;
  }

  override forward(x: Tensor): Tensor {
    const { lower, upper, training, inplace } = this;
    return rrelu(x, { lower, upper, training, inplace });
  }
}

import wgsl from '../../shaders/activations/prelu.wgsl?raw';
import { isRecording, record } from '../core/autograd.ts';
import { alongChannels } from '../define/along-channels.ts';
import type { LearnedActivation, LearnedEpilogue } from '../define/activation.ts';
import { defineOp } from '../define/op.ts';
import { LENGTHS, warmUp } from '../define/prepare.ts';
import { run, runOne } from '../core/dispatcher.ts';
import { BYTES, encode, type FloatDType } from '../core/dtype.ts';
import { source } from '../shader/link.ts';
import { pointwise, type PointwiseOp } from '../kernels/pointwise/plan.ts';
import { sumTo, view } from '../kernels/reduce/sum-to.ts';
import { allocating } from '../core/memory.ts';
import { Module, type Fused } from '../nn/module.ts';
import { currentDevice } from '../core/current.ts';
import type { Device } from '../core/device.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import { checkOut, checkPlacement, checkTensors } from '../core/validate.ts';
import { checkNumber, checkOptionNames } from '../core/validate-options.ts';

const common = {
  name: 'prelu',
  source: /* @__PURE__ */ source('activations/prelu.wgsl', wgsl),
  params: { names: [] },
};
const forwardOp: PointwiseOp = {
  ...common,
  inputs: ['x', 'weight'],
  results: 1,
  body: '  return Results(forward(x, weight, p));',
  reference: ([x = NaN, weight = NaN], r) => {
    r[0] = x > 0 ? x : weight * x;
  },
  inPlace: [0],
};
const backwardOp: PointwiseOp = {
  ...common,
  inputs: ['x', 'weight', 'grad_output'],
  results: 2,
  body: '  let g = backward(x, weight, grad_output, p);\n  return Results(g.x, g.y);',
  reference: ([x = NaN, weight = NaN, gradOutput = NaN], r) => {
    r[0] = x > 0 ? gradOutput : weight * gradOutput;
    r[1] = x > 0 ? 0 : x * gradOutput;
  },
};

function apply(x: Tensor, weight: Tensor, options: { out?: Tensor } = {}): Tensor {
  checkOptionNames('prelu', options, ['out']);
  checkTensors('prelu', { x, weight });
  const along = alongChannels('prelu', 'weight', x, weight);
  const { out } = options;
  checkOut('prelu', out, x, isRecording([x, weight]));
  const spread = view(weight, along);
  const output = runOne(
    pointwise,
    { op: forwardOp, params: {}, shape: x.shape },
    [x, spread],
    out ?? x.like(),
  );
  const recorded = record(
    output,
    'prelu',
    [x, weight],
    [x, spread],
    (upstream, [savedX, savedWeight], needs) => {
      if (!savedX || !savedWeight) return [];
      const [gradX, gradWeight] = gradients(
        savedX,
        savedWeight,
        upstream.tensor,
        needs[1] ?? false,
      );
      const shaped = gradWeight && view(gradWeight, weight.shape);
      gradWeight?.dispose();
      if (needs[0]) return [gradX, shaped];
      gradX.dispose();
      return [null, shaped];
    },
  );
  spread.dispose();
  return recorded;
}

/** The gradients for x and, if it is wanted, for the weight, which is in the shape that it broadcasts as. */
function gradients(
  x: Tensor,
  weight: Tensor,
  gradOutput: Tensor,
  wanted: boolean,
): [Tensor, Tensor | null] {
  const [gradX, parts] = run(
    pointwise,
    { op: backwardOp, params: {}, shape: x.shape },
    [x, weight, gradOutput],
    // The weight's in float32, so that its sum is rounded once.
    [x.like(), { shape: x.shape, dtype: 'float32' }],
  );
  const gradWeight = wanted && parts ? sumTo(parts, weight.shape, weight.dtype) : null;
  parts?.dispose();
  return [gradX, gradWeight];
}

/** For \`linear\`, which applies it to its own results. */
const learned: LearnedEpilogue = {
  source: common.source,
  layout: common.params,
  forward: (x, _params, weight) => (x > 0 ? x : weight * x),
  gradients,
};

/**
 * Parametric rectifier: x above 0, else weight · x. `weight` has one element, or one per channel (dimension 1 of `x`), or
 * two dimensions or more that broadcast to the shape of `x`, such as one for each element; it gets a gradient. At 0 the gradient
 * is that of the negative side.
 */
export const prelu: LearnedActivation = /* @__PURE__ */ Object.assign(
  /* @__PURE__ */ defineOp(apply, {
    op: 'prelu',
    kind: 'activation',
    params: {},
    accuracy: { forward: 0.5, backward: 0.5 },
    docs: {
      tex: String.raw`\begin{cases} x & x > 0 \\ w x & x \le 0 \end{cases}`,
      derivative: String.raw`\begin{cases} 1 & x > 0 \\ w & x \le 0 \end{cases}`,
      range: String.raw`(-\infty, \infty)`,
      torch: 'prelu',
      cite: 'He, Zhang, Ren & Sun 2015, Delving Deep into Rectifiers',
      kinks: 'at x = 0 the gradient of x is the weight, and the gradient of the weight is 0',
      use: 'A leakyRelu that learns its slope. Use it when relu units die and a few more parameters do not matter. Do not apply weight decay to the slope, because it pulls the slope to 0.',
    },
    prepare: (device: Device, dtype: FloatDType) => {
      for (const length of LENGTHS) {
        warmUp(device, dtype, [[length], [1]], (x, weight) => apply(x, weight));
      }
    },
  }),
  { learned },
);

/** `prelu` as a module with a learned weight. */
export class PReLU extends Module {
  /** The slopes: of shape [1], or one per channel. */
  readonly weight: Tensor;

  /** `numParameters`: 1 (default), or the number of channels. `init`: the weight's first value, 0.25. */
  constructor(
    options: { numParameters?: number; init?: number; device?: Device; dtype?: FloatDType } = {},
  ) {
    super();
    checkOptionNames('PReLU', options, ['numParameters', 'init', 'device', 'dtype']);
    const { numParameters = 1, init = 0.25, device = currentDevice(), dtype = 'float32' } = options;
    checkNumber('PReLU', 'numParameters', numParameters, { min: 1, integer: true });
    checkNumber('PReLU', 'init', init);
    checkPlacement('PReLU', device, dtype);
    const bytes = numParameters * BYTES[dtype];
    device.checkBytes('PReLU', bytes);
    const values = allocating('PReLU', bytes, () =>
      encode(dtype, new Float64Array(numParameters).fill(init)),
    );
    this.weight = this.parameter('weight', fromHost(values, [numParameters], dtype, device));
  }

  override get fused(): Fused | null {
    // A subclass may compute something else.
    if (Reflect.get(this, 'forward') !== Reflect.get(PReLU.prototype, 'forward')) return null;
    return (run) => run({ activation: prelu, activationOptions: { weight: this.weight } });
  }

  override forward(x: Tensor): Tensor {
    return prelu(x, this.weight);
  }
}

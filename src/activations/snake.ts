import wgsl from '../../shaders/activations/snake.wgsl?raw';
import { isRecording, record } from '../core/autograd.ts';
import { currentDevice } from '../core/current.ts';
import type { Device } from '../core/device.ts';
import { run, runOne } from '../core/dispatcher.ts';
import { BYTES, encode, LARGEST, type FloatDType } from '../core/dtype.ts';
import { OptionError } from '../core/errors.ts';
import { isTensor } from '../core/is-tensor.ts';
import { allocating } from '../core/memory.ts';
import { fromHost, type Tensor } from '../core/tensor.ts';
import { checkOut, checkPlacement, checkTensors } from '../core/validate.ts';
import { checkIsOptions, checkNumber, checkOptionNames } from '../core/validate-options.ts';
import { at } from '../cpu/rows.ts';
import { defineActivation } from '../define/activation.ts';
import { alongChannels } from '../define/along-channels.ts';
import { defineOp, type Declared } from '../define/op.ts';
import { pointwise, type PointwiseOp } from '../kernels/pointwise/plan.ts';
import { sumTo, view } from '../kernels/reduce/sum-to.ts';
import { Module } from '../nn/module.ts';
import { bits, div, sin } from '../shader/lib.ts';
import { source } from '../shader/link.ts';

/** Whether float32 has numbers enough for the wave at a x. False for NaN. */
const isNear = (u: number): boolean => Math.abs(Math.fround(u)) < 2 ** 20;

function snakeOf(x: number, a: number): number {
  return isNear(a * x) ? x + Math.sin(a * x) ** 2 / a : x + 0.5 / a;
}

function slopeOf(x: number, a: number): number {
  if (Number.isNaN(x)) return NaN;
  return isNear(a * x) ? 1 + Math.sin(2 * a * x) : 1;
}

function slopeByAlpha(x: number, a: number): number {
  if (Number.isNaN(x)) return NaN;
  return (isNear(a * x) ? x * Math.sin(2 * a * x) - Math.sin(a * x) ** 2 / a : -0.5 / a) / a;
}

const includes = [bits, div, sin];
/** With a number as alpha. */
const ofNumber = /* @__PURE__ */ defineActivation({
  name: 'snake',
  wgsl,
  includes,
  params: { alpha: { default: 1, min: 0, above: true, max: LARGEST, pair: true } },
  forward: (x, { alpha }) => snakeOf(x, alpha),
  backward: (x, gradOutput, { alpha }) => gradOutput * slopeOf(x, alpha),
  largestTerm: () => 1,
});

const common = {
  name: 'snake',
  source: /* @__PURE__ */ source('activations/snake.wgsl', wgsl, includes),
  // The functions of the file name the option.
  params: { names: ['alpha'], pairs: ['alpha'] },
};
const forwardOp: PointwiseOp = {
  ...common,
  inputs: ['x', 'alpha'],
  results: 1,
  body: '  return Results(snake(x, alpha, 0.0));',
  reference: (v, r) => {
    r[0] = snakeOf(at(v, 0), at(v, 1));
  },
  inPlace: [0],
};
const backwardOp: PointwiseOp = {
  ...common,
  inputs: ['x', 'alpha', 'grad_output'],
  results: 2,
  body: '  return Results(grad_output * slope_of(x, alpha, 0.0), grad_output * slope_by_alpha(x, alpha));',
  reference: (v, r) => {
    r[0] = at(v, 2) * slopeOf(at(v, 0), at(v, 1));
    r[1] = at(v, 2) * slopeByAlpha(at(v, 0), at(v, 1));
  },
};

/** Options of `snake`. */
export interface SnakeOptions {
  /**
   * A number above 0 (default 1); or a tensor, which gets a gradient, of one element, of one per channel (dimension 1 of `x`), or of
   * a shape of two dimensions or more that broadcasts to that of `x`.
   */
  alpha?: number | Tensor;
  /** The same under the paper's name; only one of the two is given. */
  a?: number | Tensor;
  /** Added to `x` first, in the same kernel, where alpha is a number. Its length is that of the last dimension. */
  bias?: Tensor;
  /** Written instead of a new tensor; may be `x` itself. Only where no gradient is recorded. */
  out?: Tensor;
}

/** `snake`: an activation of which an option may be a tensor. */
export interface SnakeActivation extends Declared {
  (x: Tensor, options?: SnakeOptions): Tensor;
  readonly kind: 'activation';
  /** @internal For kernels that apply the activation to their own results, with a number as alpha. */
  readonly epilogue: typeof ofNumber.epilogue;
}

function apply(x: Tensor, options: SnakeOptions = {}): Tensor {
  checkIsOptions('snake', options);
  const { a, ...others } = options;
  if (a !== undefined && others.alpha !== undefined) {
    throw new OptionError({
      op: 'snake',
      argument: 'a',
      expected: 'either alpha or a, which are the same',
      received: 'both',
    });
  }
  const { alpha = a, ...rest } = others;
  if (isTensor(alpha)) return learned(x, alpha, rest);
  return ofNumber(x, alpha === undefined ? rest : { ...rest, alpha });
}

function learned(x: Tensor, alpha: Tensor, options: { out?: Tensor }): Tensor {
  checkOptionNames('snake', options, ['out'], 'a bias goes with a number as alpha');
  checkTensors('snake', { x, alpha });
  const along = alongChannels('snake', 'alpha', x, alpha);
  const { out } = options;
  checkOut('snake', out, x, isRecording([x, alpha]));
  const spread = view(alpha, along);
  const args = { op: forwardOp, params: {}, shape: x.shape };
  const output = runOne(pointwise, args, [x, spread], out ?? x.like());
  const { shape, dtype } = alpha;
  const recorded = record(
    output,
    'snake',
    [x, alpha],
    [x, spread],
    (upstream, [savedX, savedAlpha], needs) => {
      if (!savedX || !savedAlpha) return [];
      const [gradX, wide] = run(
        pointwise,
        { op: backwardOp, params: {}, shape: savedX.shape },
        [savedX, savedAlpha, upstream.tensor],
        // That of alpha in float32, so that its sum is rounded once.
        [savedX.like(), { shape: savedX.shape, dtype: 'float32' }],
      );
      const sum = needs[1] && wide ? sumTo(wide, along, dtype) : null;
      wide?.dispose();
      const gradAlpha = sum && view(sum, shape);
      sum?.dispose();
      if (needs[0]) return [gradX, gradAlpha];
      gradX.dispose();
      return [null, gradAlpha];
    },
  );
  spread.dispose();
  return recorded;
}

/**
 * x + sin²(alpha x) / alpha: the identity with a wave, for what is periodic. `alpha` is a number above 0 (default 1), or a tensor
 * that is learned, one element for all or one per channel (dimension 1 of `x`). Gradient 1 + sin(2 alpha x). From |alpha x| = 2^20
 * on, where float32 has few numbers in a period, the result is x + 1 / (2 alpha), with gradient 1. Not in PyTorch.
 *
 * @example snake(x, { alpha: 0.5 })
 */
export const snake: SnakeActivation = /* @__PURE__ */ Object.assign(
  /* @__PURE__ */ defineOp(apply, {
    op: 'snake',
    kind: 'activation',
    params: { alpha: 1 },
    specs: ofNumber.specs ?? {},
    accuracy: { forward: 4, backward: 4 },
    docs: {
      tex: String.raw`x + \frac{\sin^2(\alpha x)}{\alpha}`,
      derivative: String.raw`1 + \sin(2 \alpha x)`,
      range: String.raw`(-\infty, \infty)`,
      torch: null,
      cite: 'Ziyin, Hartwig & Ueda 2020, Neural Networks Fail to Learn Periodic Functions and How to Fix It',
      use: 'For audio codecs, vocoders and other periodic data. alpha is the frequency, and each channel can learn its own. Start with an alpha near the frequency that you expect.',
    },
    prepare: (device, dtype) => {
      ofNumber.prepare(device, dtype);
    },
  }),
  { epilogue: ofNumber.epilogue },
);

/** `snake` as a module, with one alpha that stays, or one for each channel that is learned. */
export class Snake extends Module {
  /** A number, or the learned parameter. */
  readonly alpha: number | Tensor;

  /** `alpha`: its value, or its first value (1). `numParameters`: how many are learned, 1 or the number of channels; none by default. */
  constructor(
    options: { alpha?: number; numParameters?: number; device?: Device; dtype?: FloatDType } = {},
  ) {
    super();
    checkOptionNames('Snake', options, ['alpha', 'numParameters', 'device', 'dtype']);
    const { alpha = 1, numParameters } = options;
    checkNumber('Snake', 'alpha', alpha, { min: 0, above: true, max: LARGEST });
    if (numParameters === undefined) {
      this.alpha = alpha;
      return;
    }
    const { device = currentDevice(), dtype = 'float32' } = options;
    checkNumber('Snake', 'numParameters', numParameters, { min: 1, integer: true });
    checkPlacement('Snake', device, dtype);
    const bytes = numParameters * BYTES[dtype];
    device.checkBytes('Snake', bytes);
    const values = allocating('Snake', bytes, () =>
      encode(dtype, new Float64Array(numParameters).fill(alpha)),
    );
    this.alpha = this.parameter('alpha', fromHost(values, [numParameters], dtype, device));
  }

  override forward(x: Tensor): Tensor {
    return snake(x, { alpha: this.alpha });
  }
}

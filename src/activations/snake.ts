import wgsl from '../../shaders/activations/snake.wgsl?raw';
import type { Device } from '../core/device.ts';
import { LARGEST, type FloatDType } from '../core/dtype.ts';
import { OptionError } from '../core/errors.ts';
import { isTensor } from '../core/is-tensor.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkIsOptions, checkNumber, checkOptionNames } from '../core/validate-options.ts';
import { declareActivation, defineActivation } from '../define/activation.ts';
import { defineLearned, filledRow, type LearnedDeclaration } from '../define/learned.ts';
import { defineOp, type Declared } from '../define/op.ts';
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
const numberDeclaration = /* @__PURE__ */ declareActivation({
  name: 'snake',
  wgsl,
  includes,
  params: {
    /** The frequency of the wave; above 0. */
    alpha: { default: 1, min: 0, above: true, max: LARGEST, pair: true },
  },
  forward: (x, { alpha }) => snakeOf(x, alpha),
  backward: (x, gradOutput, { alpha }) => gradOutput * slopeOf(x, alpha),
  largestTerm: () => 1,
  accuracy: { forward: 4, backward: 4 },
  docs: {
    tex: String.raw`x + \frac{\sin^2(\alpha x)}{\alpha}`,
    derivative: String.raw`1 + \sin(2 \alpha x)`,
    range: String.raw`(-\infty, \infty)`,
    cite: 'Ziyin, Hartwig & Ueda 2020, Neural Networks Fail to Learn Periodic Functions and How to Fix It',
    use: 'For audio codecs, vocoders and other periodic data. alpha is the frequency, and each channel can learn its own. Start with an alpha near the frequency that you expect.',
  },
});
const ofNumber = /* @__PURE__ */ defineActivation(numberDeclaration);

const declaration: LearnedDeclaration = {
  name: 'snake',
  learned: 'alpha',
  source: /* @__PURE__ */ source('activations/snake.wgsl', wgsl, includes),
  // The functions of the file name the option.
  params: { names: ['alpha'], pairs: ['alpha'] },
  body: {
    forward: '  return Results(snake(x, alpha, 0.0));',
    backward:
      '  return Results(grad_output * slope_of(x, alpha, 0.0), grad_output * slope_by_alpha(x, alpha));',
  },
  forward: snakeOf,
  backward: (x, alpha, g) => [g * slopeOf(x, alpha), g * slopeByAlpha(x, alpha)],
};
export default { learned: declaration, ofNumber: numberDeclaration };

const ofTensor = /* @__PURE__ */ defineLearned(declaration);

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
    const expected = 'either alpha or a, which are the same';
    throw new OptionError({ op: 'snake', argument: 'a', expected, received: 'both' });
  }
  const { alpha = a, ...rest } = others;
  if (!isTensor(alpha)) return ofNumber(x, alpha === undefined ? rest : { ...rest, alpha });
  checkOptionNames('snake', rest, ['out'], 'a bias goes with a number as alpha');
  return ofTensor.apply(x, alpha, rest.out);
}

/**
 * x + sin²(alpha x) / alpha: the identity with a wave, for what is periodic. `alpha` is a number above 0 (default 1), or a tensor
 * that is learned, one element for all or one per channel (dimension 1 of `x`). Gradient 1 + sin(2 alpha x). From |alpha x| = 2^20
 * on, where float32 has few numbers in a period, the result is x + 1 / (2 alpha), with gradient 1. Not in PyTorch.
 *
 * @example snake(x, { alpha: 0.5 })
 */
export const snake: SnakeActivation = /* @__PURE__ */ Object.assign(
  // What the function of a number says of itself holds for both.
  /* @__PURE__ */ defineOp(apply, ofNumber),
  { epilogue: ofNumber.epilogue },
);

/** `snake` as a module, with one alpha that stays, or one for each channel that is learned. */
export class Snake extends Module {
  /** A number, or the learned parameter. */
  readonly alpha: number | Tensor;

  constructor(
    options: {
      /** The value of alpha, or its first value where it is learned; above 0. Defaults to 1. */
      alpha?: number;
      /** How many are learned: 1, or the number of channels. By default none is. */
      numParameters?: number;
      /** Where the learned ones are. Defaults to the device of the latest `init()`. */
      device?: Device;
      /** The dtype of the learned ones. Defaults to `'float32'`. */
      dtype?: FloatDType;
    } = {},
  ) {
    super();
    checkOptionNames('Snake', options, ['alpha', 'numParameters', 'device', 'dtype']);
    const { alpha = 1, numParameters } = options;
    checkNumber('Snake', 'alpha', alpha, { min: 0, above: true, max: LARGEST });
    const learns = numParameters !== undefined;
    this.alpha = learns ? this.parameter('alpha', filledRow('Snake', options, alpha)) : alpha;
  }

  override forward(x: Tensor): Tensor {
    return snake(x, { alpha: this.alpha });
  }
}

import wgsl from '../../shaders/activations/prelu.wgsl?raw';
import type { Device } from '../core/device.ts';
import type { FloatDType } from '../core/dtype.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkNumber, checkOptionNames } from '../core/validate-options.ts';
import type { LearnedActivation, LearnedEpilogue } from '../define/activation.ts';
import {
  defineLearned,
  filledRow,
  type Learned,
  type LearnedDeclaration,
} from '../define/learned.ts';
import { defineOp } from '../define/op.ts';
import { LENGTHS, warmUp } from '../define/prepare.ts';
import { Module, type Fused } from '../nn/module.ts';
import { source } from '../shader/link.ts';

const declaration: LearnedDeclaration = {
  name: 'prelu',
  learned: 'weight',
  source: /* @__PURE__ */ source('activations/prelu.wgsl', wgsl),
  params: { names: [] },
  body: {
    forward: '  return Results(forward(x, weight, p));',
    backward: '  let g = backward(x, weight, grad_output, p);\n  return Results(g.x, g.y);',
  },
  forward: (x, weight) => (x > 0 ? x : weight * x),
  backward: (x, weight, g) => (x > 0 ? [g, 0] : [weight * g, x * g]),
};
export default declaration;

const rectifier = /* @__PURE__ */ defineLearned(declaration);

/** For `linear`, which applies it to its own results. A function, so that bundlers may leave out its reads. */
function epilogueOf({ gradients }: Learned): LearnedEpilogue {
  const { source: text, params, forward } = declaration;
  return { source: text, layout: params, forward: (x, _, weight) => forward(x, weight), gradients };
}

function apply(x: Tensor, weight: Tensor, options: { out?: Tensor } = {}): Tensor {
  checkOptionNames('prelu', options, ['out']);
  return rectifier.apply(x, weight, options.out);
}

/**
 * Parametric rectifier: x above 0, else weight · x. `weight` has one element, or one per channel (dimension 1 of `x`), or
 * two dimensions or more that broadcast to the shape of `x`, such as one for each element; it gets a gradient. At 0 the gradient
 * is that of the negative side.
 *
 * @example prelu(x, weight)
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
  { learned: /* @__PURE__ */ epilogueOf(rectifier) },
);

/** `prelu` as a module with a learned weight. */
export class PReLU extends Module {
  /** The slopes: of shape [1], or one per channel. */
  readonly weight: Tensor;

  constructor(
    options: {
      /** How many slopes are learned: 1, or the number of channels. Defaults to 1. */
      numParameters?: number;
      /** The first value of each slope. Defaults to 0.25. */
      init?: number;
      /** Defaults to the device of the latest `init()`. */
      device?: Device;
      /** Defaults to `'float32'`. */
      dtype?: FloatDType;
    } = {},
  ) {
    super();
    checkOptionNames('PReLU', options, ['numParameters', 'init', 'device', 'dtype']);
    const { init = 0.25 } = options;
    checkNumber('PReLU', 'init', init);
    this.weight = this.parameter('weight', filledRow('PReLU', options, init));
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

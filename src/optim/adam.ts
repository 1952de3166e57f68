import wgsl from '../../shaders/optim/adam.wgsl?raw';
import { describe } from '../core/describe.ts';
import { OptionError } from '../core/errors.ts';
import { source } from '../shader/link.ts';
import type { ParamValues } from '../shader/params.ts';
import type { PointwiseOp } from '../kernels/pointwise/plan.ts';
import { checkBoolean, checkNumber } from '../core/validate-options.ts';
import type { OptimizerKind, OptimizerParameters, ParamGroup } from './groups.ts';
import { Optimizer, type UpdateRule } from './optimizer.ts';

/** Options of `optim.Adam` and `optim.AdamW`. */
export interface AdamOptions {
  /** Defaults to 0.001. */
  lr?: number;
  /** Decay of the first and second moments. Defaults to [0.9, 0.999]. */
  betas?: readonly [number, number];
  /** Added to the denominator. Defaults to 1e-8. */
  eps?: number;
  /** Adam: L2 penalty, added to the gradient, 0 by default. AdamW: the share of lr the weight shrinks by, 0.01. */
  weightDecay?: number;
  /** Divides by the largest second moment so far (Reddi et al. 2018). Defaults to false. */
  amsgrad?: boolean;
  /** Climbs instead of descending. Defaults to false. */
  maximize?: boolean;
  /** Weight decay as AdamW's, apart from the gradient. Defaults to false; AdamW is Adam with it. */
  decoupledWeightDecay?: boolean;
}

const common = {
  name: 'adam',
  source: /* @__PURE__ */ source('optim/adam.wgsl', wgsl),
  params: {
    names: [
      'step',
      'root2',
      'rest1',
      'rest2',
      'beta2',
      'eps',
      'weightDecay',
      'shrink',
      'amsgrad',
      'maximize',
    ],
    integers: ['amsgrad', 'maximize'],
  },
};

function update(
  w: number,
  grad: number,
  moment1: number,
  moment2: number,
  largest2: number,
  p: ParamValues,
): number[] {
  const {
    step = 0,
    root2 = 1,
    rest1 = 0,
    rest2 = 0,
    beta2 = 0,
    eps = 0,
    weightDecay = 0,
    shrink = 1,
  } = p;
  const g = (p.maximize ? -grad : grad) + weightDecay * w;
  // Rounded to what is stored before they are used, as in PyTorch: a second moment past the largest number stops the weight.
  const m = Math.fround(moment1 + rest1 * (g - moment1));
  const v = Math.fround(beta2 * moment2 + rest2 * g * g);
  const most = Math.max(largest2, v);
  const denominator = Math.sqrt(p.amsgrad ? most : v) / root2 + eps;
  return [w * shrink - (step * m) / denominator, m, v, most];
}

const plain: PointwiseOp = {
  ...common,
  inputs: ['w', 'grad', 'moment1', 'moment2'],
  results: 3,
  body: '  let r = adam(w, grad, moment1, moment2, 0.0, p);\n  return Results(r.x, r.y, r.z);',
  reference: ([w = NaN, grad = NaN, moment1 = NaN, moment2 = NaN], r, p) => {
    r.set(update(w, grad, moment1, moment2, 0, p).slice(0, 3));
  },
  inPlace: [0, 2, 3],
};
const withLargest: PointwiseOp = {
  ...common,
  inputs: ['w', 'grad', 'moment1', 'moment2', 'largest2'],
  results: 4,
  body: '  let r = adam(w, grad, moment1, moment2, largest2, p);\n  return Results(r.x, r.y, r.z, r.w);',
  reference: ([w = NaN, grad = NaN, moment1 = NaN, moment2 = NaN, largest2 = NaN], r, p) => {
    r.set(update(w, grad, moment1, moment2, largest2, p));
  },
  inPlace: [0, 2, 3, 4],
};

const kind: OptimizerKind<Required<AdamOptions>> = {
  op: 'Adam',
  defaults: {
    lr: 1e-3,
    betas: [0.9, 0.999],
    eps: 1e-8,
    weightDecay: 0,
    amsgrad: false,
    maximize: false,
    decoupledWeightDecay: false,
  },
  check: (op, { betas, eps, weightDecay, amsgrad, maximize, decoupledWeightDecay }, at) => {
    const pair: unknown = betas;
    if (
      !Array.isArray(pair) ||
      pair.length !== 2 ||
      pair.some((beta) => typeof beta !== 'number' || !(beta >= 0 && beta < 1))
    ) {
      throw new OptionError({
        op,
        argument: at('betas'),
        expected: 'two numbers from 0 to below 1',
        received: describe(pair),
      });
    }
    checkNumber(op, at('eps'), eps, { min: 0 });
    checkNumber(op, at('weightDecay'), weightDecay, { min: 0 });
    checkBoolean(op, at('amsgrad'), amsgrad);
    checkBoolean(op, at('maximize'), maximize);
    checkBoolean(op, at('decoupledWeightDecay'), decoupledWeightDecay);
  },
};
const kindW: OptimizerKind<Required<AdamOptions>> = {
  ...kind,
  op: 'AdamW',
  defaults: { ...kind.defaults, weightDecay: 0.01, decoupledWeightDecay: true },
  fixed: { decoupledWeightDecay: true },
};

/** Adam (Kingma & Ba 2015), as in `torch.optim.Adam`. Takes parameters, or groups of them with options of their own. */
export class Adam extends Optimizer<Required<AdamOptions>> {
  constructor(parameters: OptimizerParameters<Required<AdamOptions>>, options?: AdamOptions);
  /** @internal */
  constructor(
    parameters: OptimizerParameters<Required<AdamOptions>>,
    options: AdamOptions | undefined,
    own: OptimizerKind<Required<AdamOptions>>,
  );
  constructor(
    parameters: OptimizerParameters<Required<AdamOptions>>,
    options: AdamOptions = {},
    own = kind,
  ) {
    super(own, parameters, options);
  }

  /** @internal */
  protected override rule(group: ParamGroup<Required<AdamOptions>>): UpdateRule {
    const { lr, betas, eps, weightDecay, amsgrad, maximize, decoupledWeightDecay } = group;
    const [beta1, beta2] = betas;
    return {
      op: amsgrad ? withLargest : plain,
      slots: amsgrad ? 3 : 2,
      params: (step) => ({
        step: lr / (1 - beta1 ** step),
        root2: Math.sqrt(1 - beta2 ** step),
        rest1: 1 - beta1,
        rest2: 1 - beta2,
        beta2,
        eps,
        weightDecay: decoupledWeightDecay ? 0 : weightDecay,
        shrink: decoupledWeightDecay ? 1 - lr * weightDecay : 1,
        amsgrad: Number(amsgrad),
        maximize: Number(maximize),
      }),
    };
  }
}

/** Adam with decoupled weight decay (Loshchilov & Hutter 2019), as in `torch.optim.AdamW`. */
export class AdamW extends Adam {
  constructor(
    parameters: OptimizerParameters<Required<AdamOptions>>,
    options: Omit<AdamOptions, 'decoupledWeightDecay'> = {},
  ) {
    super(parameters, options, kindW);
  }
}

import wgsl from '../../shaders/optim/rmsprop.wgsl?raw';
import { sqrt } from '../shader/lib.ts';
import { source } from '../shader/link.ts';
import type { ParamValues } from '../shader/params.ts';
import type { PointwiseOp } from '../kernels/pointwise/plan.ts';
import { checkBoolean, checkNumber } from '../core/validate-options.ts';
import type { OptimizerKind, OptimizerParameters, ParamGroup } from './groups.ts';
import { Optimizer, type UpdateRule } from './optimizer.ts';

/** Options of `optim.RMSprop`. */
export interface RMSpropOptions {
  /** Defaults to 0.01. */
  lr?: number;
  /** Decay of the mean square. Defaults to 0.99. */
  alpha?: number;
  /** Added to the denominator. Defaults to 1e-8. */
  eps?: number;
  /** L2 penalty, added to the gradient. Defaults to 0. */
  weightDecay?: number;
  /** Defaults to 0. */
  momentum?: number;
  /** Divides by the deviation of the gradient instead of its root mean square. Defaults to false. */
  centered?: boolean;
  /** Climbs instead of descending. Defaults to false. */
  maximize?: boolean;
}

const common = {
  name: 'rmsprop',
  source: /* @__PURE__ */ source('optim/rmsprop.wgsl', wgsl, [sqrt]),
  params: {
    names: ['lr', 'alpha', 'rest', 'eps', 'weightDecay', 'momentum', 'centered', 'maximize'],
    integers: ['centered', 'maximize'],
  },
};

function update(
  w: number,
  grad: number,
  square: number,
  mean: number,
  velocity: number,
  p: ParamValues,
): [w: number, square: number, mean: number, velocity: number] {
  const { lr = 0, alpha = 0, rest = 0, eps = 0, weightDecay = 0, momentum = 0 } = p;
  const g = (p.maximize ? -grad : grad) + weightDecay * w;
  // Rounded to what is stored before they are used, as in PyTorch.
  const s = Math.fround(alpha * square + rest * g * g);
  const m = p.centered ? Math.fround(mean + rest * (g - mean)) : 0;
  const left = s - m * m;
  const v = momentum * velocity + g / (Math.sqrt(left < 0 ? 0 : left) + eps);
  return [w - lr * v, s, m, v];
}

/** The op of one choice of `centered` and whether there is a momentum: each binds only the tensors that it needs. */
function opOf(centered: boolean, momentum: boolean): PointwiseOp {
  const names = ['square', ...(centered ? ['mean'] : []), ...(momentum ? ['velocity'] : [])];
  const results = [0, 1, ...(centered ? [2] : []), ...(momentum ? [3] : [])];
  const fields = results.map((k) => `r.${'xyzw'[k] ?? ''}`);
  const mean = centered ? 'mean' : '0.0';
  const velocity = momentum ? 'velocity' : '0.0';
  return {
    ...common,
    inputs: ['w', 'grad', ...names],
    results: results.length,
    body: [
      `  let r = rmsprop(w, grad, square, ${mean}, ${velocity}, p);`,
      `  return Results(${fields.join(', ')});`,
    ].join('\n'),
    reference: ([w = NaN, grad = NaN, square = NaN, third = 0, fourth = 0], r, p) => {
      const last = centered ? fourth : third;
      const all = update(w, grad, square, centered ? third : 0, momentum ? last : 0, p);
      results.forEach((from, k) => (r[k] = all[from] ?? NaN));
    },
    inPlace: [0, ...names.map((_, k) => 2 + k)],
  };
}

const OPS: Readonly<Record<string, PointwiseOp>> = {
  '': /* @__PURE__ */ opOf(false, false),
  c: /* @__PURE__ */ opOf(true, false),
  m: /* @__PURE__ */ opOf(false, true),
  cm: /* @__PURE__ */ opOf(true, true),
};

const kind: OptimizerKind<Required<RMSpropOptions>> = {
  op: 'RMSprop',
  defaults: {
    lr: 0.01,
    alpha: 0.99,
    eps: 1e-8,
    weightDecay: 0,
    momentum: 0,
    centered: false,
    maximize: false,
  },
  check: (op, { alpha, eps, weightDecay, momentum, centered, maximize }, at) => {
    checkNumber(op, at('alpha'), alpha, { min: 0 });
    checkNumber(op, at('eps'), eps, { min: 0 });
    checkNumber(op, at('weightDecay'), weightDecay, { min: 0 });
    checkNumber(op, at('momentum'), momentum, { min: 0 });
    checkBoolean(op, at('centered'), centered);
    checkBoolean(op, at('maximize'), maximize);
  },
};

/**
 * RMSprop (Tieleman & Hinton 2012; centered: Graves 2013), as in `torch.optim.RMSprop`:
 *
 *     s = alpha s + (1 - alpha) g², v = momentum v + g / (√s + eps), w = w - lr v
 *
 * with g the gradient plus `weightDecay` w. `centered` takes s - m² under the root (0 where rounding makes it negative, where
 * PyTorch gives NaN), with m the mean of the gradients. Takes parameters, or groups of them with options of their own.
 *
 * @example
 * const optimizer = new optim.RMSprop(model.parameters(), { lr: 0.001, momentum: 0.9 });
 */
export class RMSprop extends Optimizer<Required<RMSpropOptions>> {
  constructor(
    parameters: OptimizerParameters<Required<RMSpropOptions>>,
    options: RMSpropOptions = {},
  ) {
    super(kind, parameters, options);
  }

  /** @internal */
  protected override rule(group: ParamGroup<Required<RMSpropOptions>>): UpdateRule {
    const { lr, alpha, eps, weightDecay, momentum, centered, maximize } = group;
    const name = `${centered ? 'c' : ''}${momentum > 0 ? 'm' : ''}`;
    const op = OPS[name] ?? opOf(centered, momentum > 0);
    return {
      op,
      slots: op.results - 1,
      params: () => ({
        lr,
        alpha,
        rest: 1 - alpha,
        eps,
        weightDecay,
        momentum,
        centered: Number(centered),
        maximize: Number(maximize),
      }),
    };
  }
}

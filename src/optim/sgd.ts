import wgsl from '../../shaders/optim/sgd.wgsl?raw';
import { OptionError } from '../core/errors.ts';
import { source } from '../shader/link.ts';
import type { PointwiseOp, PointwiseReference } from '../kernels/pointwise/plan.ts';
import { checkBoolean, checkNumber } from '../core/validate-options.ts';
import type { OptimizerKind, OptimizerParameters, ParamGroup } from './groups.ts';
import { Optimizer, type UpdateRule } from './optimizer.ts';

/** Options of `optim.SGD`. */
export interface SGDOptions {
  /** Defaults to 0.001. */
  lr?: number;
  /** Defaults to 0. */
  momentum?: number;
  /** Defaults to 0. */
  dampening?: number;
  /** L2 penalty, added to the gradient. Defaults to 0. */
  weightDecay?: number;
  /** Needs a momentum and no dampening. Defaults to false. */
  nesterov?: boolean;
  /** Climbs instead of descending. Defaults to false. */
  maximize?: boolean;
}

const params = {
  names: ['lr', 'momentum', 'undamped', 'weightDecay', 'nesterov', 'maximize', 'first'],
  integers: ['nesterov', 'maximize', 'first'],
};
const base = {
  name: 'sgd',
  source: /* @__PURE__ */ source('optim/sgd.wgsl', wgsl),
  params,
};

function reference(momentum: boolean): PointwiseReference {
  return ([w = NaN, grad = NaN, velocity = 0], r, p) => {
    const {
      lr = 0,
      momentum: mu = 0,
      undamped = 1,
      weightDecay = 0,
      nesterov,
      maximize,
      first,
    } = p;
    const g = (maximize ? -grad : grad) + weightDecay * w;
    const v = first ? g : mu * velocity + undamped * g;
    r[0] = w - lr * (nesterov ? g + mu * v : v);
    if (momentum) r[1] = v;
  };
}

const plain: PointwiseOp = {
  ...base,
  inputs: ['w', 'grad'],
  results: 1,
  body: '  return Results(sgd(w, grad, 0.0, p).x);',
  reference: /* @__PURE__ */ reference(false),
  inPlace: [0],
};
const withMomentum: PointwiseOp = {
  ...base,
  inputs: ['w', 'grad', 'velocity'],
  results: 2,
  body: '  let r = sgd(w, grad, velocity, p);\n  return Results(r.x, r.y);',
  reference: /* @__PURE__ */ reference(true),
  inPlace: [0, 2],
};

const kind: OptimizerKind<Required<SGDOptions>> = {
  op: 'SGD',
  defaults: {
    lr: 1e-3,
    momentum: 0,
    dampening: 0,
    weightDecay: 0,
    nesterov: false,
    maximize: false,
  },
  check: (op, { momentum, dampening, weightDecay, nesterov, maximize }, at) => {
    checkNumber(op, at('momentum'), momentum, { min: 0 });
    checkNumber(op, at('dampening'), dampening);
    checkNumber(op, at('weightDecay'), weightDecay, { min: 0 });
    checkBoolean(op, at('nesterov'), nesterov);
    checkBoolean(op, at('maximize'), maximize);
    if (nesterov && (momentum === 0 || dampening !== 0)) {
      throw new OptionError({
        op,
        argument: at('nesterov'),
        expected: 'a momentum and zero dampening with it',
        received: `momentum ${momentum}, dampening ${dampening}`,
      });
    }
  },
};

/**
 * Stochastic gradient descent, with momentum (Polyak 1964; Sutskever et al. 2013) as in `torch.optim.SGD`. Takes parameters,
 * or groups of them with options of their own.
 */
export class SGD extends Optimizer<Required<SGDOptions>> {
  constructor(parameters: OptimizerParameters<Required<SGDOptions>>, options: SGDOptions = {}) {
    super(kind, parameters, options);
  }

  /** @internal */
  protected override rule(group: ParamGroup<Required<SGDOptions>>): UpdateRule {
    const { lr, momentum, dampening, weightDecay, nesterov, maximize } = group;
    return {
      op: momentum === 0 ? plain : withMomentum,
      slots: momentum === 0 ? 0 : 1,
      params: (_step, fresh) => ({
        lr,
        momentum,
        undamped: 1 - dampening,
        weightDecay,
        nesterov: Number(nesterov),
        maximize: Number(maximize),
        // As in PyTorch, the buffer starts as the first gradient, undamped.
        first: Number(fresh || momentum === 0),
      }),
    };
  }
}

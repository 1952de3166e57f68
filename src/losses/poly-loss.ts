import wgsl from '../../shaders/losses/poly.wgsl?raw';
import { CLASSES, declareClassLoss, defineClassLoss } from '../define/class-loss.ts';
import { lossModule } from '../define/module.ts';
import { exp, expm1 } from '../shader/lib.ts';

const declaration = /* @__PURE__ */ declareClassLoss({
  name: 'polyLoss',
  wgsl,
  includes: [exp, expm1],
  params: {
    /** The weight of the first term of the polynomial. */
    epsilon: 2,
  },
  normalised: true,
  soft: false,
  loss: (l, { epsilon }) => -l - epsilon * Math.expm1(l),
  grad: (l, { epsilon }) => -1 - epsilon * Math.exp(l),
  accuracy: { forward: 8, backward: 8 },
  docs: {
    tex: String.raw`w_y \left(-\log p_y + \varepsilon (1 - p_y)\right)`,
    derivative: String.raw`w_y (1 + \varepsilon p_y) (p_c - \delta_{cy})`,
    range: String.raw`[0, \infty)`,
    shapes: CLASSES,
    cite: 'Leng et al. 2022, PolyLoss; optax poly_loss_cross_entropy',
    use: 'For when crossEntropy is tuned already. An epsilon of 1 to 2 makes predictions more confident, which helps to classify images. An epsilon of about -1 makes them less confident, which helps detection with imbalanced classes. It is one more option to tune, and the best value differs by task.',
  },
});
export default declaration;

/**
 * Poly-1 loss of logits [N, C, d1, …] and class indices: cross-entropy plus epsilon (1 - p), where p is the probability of
 * the target class. Options: `epsilon` (2; -1 weighs confident examples less), `weight`, `ignoreIndex` (-100), `reduction`
 * ('mean').
 *
 * @example polyLoss(logits, classes, { epsilon: 1 })
 */
export const polyLoss = /* @__PURE__ */ defineClassLoss(declaration);

/** `polyLoss` as a module. */
export class PolyLoss extends /* @__PURE__ */ lossModule(polyLoss) {}

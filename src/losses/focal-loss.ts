import wgsl from '../../shaders/losses/focal.wgsl?raw';
import { CLASSES, declareClassLoss, defineClassLoss } from '../define/class-loss.ts';
import { lossModule } from '../define/module.ts';
import { exp, expm1, pow } from '../shader/lib.ts';

const declaration = /* @__PURE__ */ declareClassLoss({
  name: 'focalLoss',
  wgsl,
  includes: [exp, expm1, pow],
  params: {
    /** How much less what is easy counts; at least 0. */
    gamma: { default: 2, min: 0 },
  },
  normalised: true,
  soft: false,
  loss: (l, { gamma }) => -((-Math.expm1(l)) ** gamma) * l,
  grad: (l, { gamma }) => {
    const rest = -Math.expm1(l);
    const bend = gamma === 0 || rest === 0 ? 0 : gamma * rest ** (gamma - 1) * Math.exp(l) * l;
    return bend - rest ** gamma;
  },
  accuracy: { forward: 16, backward: 16 },
  docs: {
    tex: String.raw`-w_y (1 - p_y)^\gamma \log p_y`,
    derivative: String.raw`w_y \left((1 - p_y)^\gamma - \gamma p_y (1 - p_y)^{\gamma - 1} \log p_y\right) (p_c - \delta_{cy})`,
    range: String.raw`[0, \infty)`,
    shapes: CLASSES,
    cite: 'Lin, Goyal, Girshick, He & Dollár 2017, Focal Loss for Dense Object Detection',
    use: 'For strongly imbalanced classes with many easy examples: gamma moves the weight from easy to hard examples. It also gives more weight to wrong labels, and its probabilities are less well calibrated.',
  },
});
export default declaration;

/**
 * Focal loss of logits [N, C, d1, …] and class indices: cross-entropy times (1 - p)^gamma, so that easy examples weigh
 * little. Options: `gamma` (2, at least 0), `weight`, `ignoreIndex` (-100), `reduction` ('mean').
 *
 * @example focalLoss(logits, classes, { gamma: 2 })
 */
export const focalLoss = /* @__PURE__ */ defineClassLoss(declaration);

/** `focalLoss` as a module. */
export class FocalLoss extends /* @__PURE__ */ lossModule(focalLoss) {}

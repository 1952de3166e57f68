import wgsl from '../../shaders/losses/tv-distance.wgsl?raw';
import { sameShapes } from '../define/arrange.ts';
import { ALIKE, declareLoss, defineLoss } from '../define/loss.ts';
import { lossModule } from '../define/module.ts';

const declaration = /* @__PURE__ */ declareLoss({
  name: 'tvDistanceLoss',
  wgsl,
  reductions: ['batchmean', 'mean', 'sum', 'none'],
  arrange: sameShapes,
  forward: (input, target) => Math.abs(input - target) / 2,
  backward: (input, target, gradOutput) => {
    const g = (Number(input > target) - Number(input < target)) * (gradOutput / 2);
    return [g, -g];
  },
  accuracy: { forward: 1, backward: 1 },
  docs: {
    tex: String.raw`\tfrac12 |x - y|`,
    derivative: String.raw`\tfrac12 \operatorname{sign}(x - y)`,
    range: String.raw`[0, \infty)`,
    shapes: ALIKE,
    cite: 'Liger-Kernel TVD; Wen, Li, Du & Mou 2023, f-Divergence Minimization for Sequence-Level Knowledge Distillation',
    kinks: 'where input and target are equal, the gradient is 0',
    use: 'For distillation with a bounded loss: only the difference of the two probabilities of an event counts, however rare the event is. Its gradient does not become smaller near the target, so the last steps need a small learning rate.',
  },
});
export default declaration;

/**
 * Total variation distance of probabilities of the same shape: |input - target| / 2, its sum over the first dimension by
 * default (`reduction: 'batchmean'`). Gradient half the sign of the difference, 0 where both are equal. As Liger's TVD.
 *
 * @example tvDistanceLoss(softmax(student, { dim: -1 }), softmax(teacher, { dim: -1 }))
 */
export const tvDistanceLoss = /* @__PURE__ */ defineLoss(declaration);

/** `tvDistanceLoss` as a module. */
export class TVDistanceLoss extends /* @__PURE__ */ lossModule(tvDistanceLoss) {}

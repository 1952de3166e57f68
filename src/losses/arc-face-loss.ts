import ceText from '../../shaders/losses/cross-entropy.wgsl?raw';
import marginText from '../../shaders/losses/margin.wgsl?raw';
import wgsl from '../../shaders/losses/arc-face.wgsl?raw';
import { COSINES, declareClassLoss, defineClassLoss } from '../define/class-loss.ts';
import { lossModule } from '../define/module.ts';
import { div, sqrt } from '../shader/lib.ts';
import { source } from '../shader/link.ts';

const declaration = /* @__PURE__ */ declareClassLoss({
  name: 'arcFaceLoss',
  wgsl,
  includes: [
    div,
    sqrt,
    /* @__PURE__ */ source('losses/cross-entropy.wgsl', ceText),
    /* @__PURE__ */ source('losses/margin.wgsl', marginText),
  ],
  params: {
    /** What cosines are multiplied by; above 0. */
    s: { default: 64, min: 0, above: true },
    /** The margin, an angle from 0 to below π / 2. */
    m: { default: 0.5, min: 0, max: 1.5707963267948963 },
    /** Whether the margin is left out at angles above π / 2, not only near π. */
    easyMargin: false,
  },
  normalised: true,
  soft: false,
  margin: {
    derive: ({ s, m, easyMargin }) => ({
      s,
      cosM: Math.cos(m),
      sinM: Math.sin(m),
      // Rounded down to a float32, so that a cosine in float32 is on the same side of it as of the exact one.
      limit: easyMargin ? 0 : float32Below(-Math.cos(m)),
      drop: easyMargin ? 0 : m * Math.sin(m),
    }),
    score: (c, { cosM = NaN, sinM = NaN, limit = NaN, drop = NaN }) =>
      c > limit ? c * cosM - Math.sqrt(Math.max((1 - c) * (1 + c), 0)) * sinM : c - drop,
    slope: (c, { cosM = NaN, sinM = NaN, limit = NaN }) => {
      const square = (1 - c) * (1 + c);
      return c > limit ? cosM + (square > 0 ? (c / Math.sqrt(square)) * sinM : 0) : 1;
    },
  },
  loss: (l) => -l,
  grad: () => -1,
  accuracy: { forward: 8, backward: 16 },
  docs: {
    tex: String.raw`-w_y \log \frac{e^{s \cos(\theta_y + m)}}{e^{s \cos(\theta_y + m)} + \sum_{c \ne y} e^{s x_c}}, \quad \theta_y = \arccos x_y`,
    derivative: String.raw`w_y s (p_c - \delta_{cy}) \cdot \left(1 \text{ or, for } c = y, \; \frac{\sin(\theta_y + m)}{\sin \theta_y}\right)`,
    range: String.raw`[0, \infty)`,
    shapes: COSINES,
    cite: 'Deng et al. 2019, ArcFace: Additive Angular Margin Loss for Deep Face Recognition; insightface',
    use: 'The usual choice for face recognition. It is like cosFaceLoss, but the margin is an angle, which is the same everywhere on the sphere. From random weights it is hard to train: use easyMargin, or start with a small m. Wrong labels harm it.',
  },
});
export default declaration;

/**
 * ArcFace loss of cosines [N, C, d1, …] (of embeddings and class centres, both normalised) and class indices: cross-entropy of s
 * times the cosines, where the angle of the target class is larger by a margin m. An angle above π - m (with `easyMargin` above
 * π / 2) has the cosine less m sin m instead (less nothing), so that the loss keeps falling. Options: `s` (64, above 0), `m` (0.5,
 * from 0 to below π / 2), `easyMargin` (false), `weight`, `ignoreIndex` (-100), `reduction` ('mean'). The gradient is infinite at a
 * cosine of 1; what is infinite of it is left out there, as it is beyond. s times a cosine must be a float32.
 *
 * @example arcFaceLoss(linear(normalize(x), normalize(centres)), classes, { s: 30 })
 */
export const arcFaceLoss = /* @__PURE__ */ defineClassLoss(declaration);

/** The largest float32 up to x. */
function float32Below(x: number): number {
  const near = Math.fround(x);
  if (near <= x) return near;
  const [bits, float] = [new Int32Array(1), new Float32Array(1)];
  float[0] = near;
  bits.set(new Int32Array(float.buffer));
  bits[0] = (bits[0] ?? 0) + (near > 0 ? -1 : 1);
  return new Float32Array(bits.buffer)[0] ?? NaN;
}

/** `arcFaceLoss` as a module. */
export class ArcFaceLoss extends /* @__PURE__ */ lossModule(arcFaceLoss) {}

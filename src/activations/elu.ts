import wgsl from '../../shaders/activations/elu.wgsl?raw';
import { declareActivation, defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';
import { exp, expm1 } from '../shader/lib.ts';

const declaration = /* @__PURE__ */ declareActivation({
  name: 'elu',
  wgsl,
  includes: [exp, expm1],
  params: {
    /** The value far below 0 is -alpha. */
    alpha: 1,
  },
  forward: (x, { alpha }) => (x > 0 ? x : alpha * Math.expm1(x)),
  backward: (x, gradOutput, { alpha }) => (x > 0 ? gradOutput : gradOutput * (alpha * Math.exp(x))),
  inplace: () => false,
  accuracy: { forward: 2.5, backward: 3 },
  docs: {
    tex: String.raw`\begin{cases} x & x > 0 \\ \alpha (e^x - 1) & x \le 0 \end{cases}`,
    derivative: String.raw`\begin{cases} 1 & x > 0 \\ \alpha e^x & x \le 0 \end{cases}`,
    range: String.raw`[-\alpha, \infty)`,
    torch: 'elu',
    cite: 'Clevert, Unterthiner & Hochreiter 2016, Fast and Accurate Deep Network Learning by Exponential Linear Units',
    kinks: 'the gradient at x = 0 is alpha',
    use: 'A smoother relu whose outputs have a mean nearer to 0. Large negative inputs give almost -alpha, and almost no gradient. Unless alpha is 1, the slope jumps at 0; celu avoids this jump.',
  },
});
export default declaration;

/**
 * Exponential linear unit: x above 0, else alpha · (e^x - 1) (alpha 1). At 0 the gradient is alpha.
 *
 * @example elu(x, { alpha: 2 })
 */
export const elu = /* @__PURE__ */ defineActivation(declaration);

/** `elu` as a module. */
export class ELU extends /* @__PURE__ */ activationModule(elu) {}

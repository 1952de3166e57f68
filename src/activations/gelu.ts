import wgsl from '../../shaders/activations/gelu.wgsl?raw';
import { declareActivation, defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';
import { bits, erf, sigmoid } from '../shader/lib.ts';
import erfc from '@stdlib/math-base-special-erfc';
import { gateSlope, gateTerm, logistic } from '../cpu/special.ts';

/** The place of `'none'` among the choices. */
const NONE = 0;
const CUBIC = 0.044715;

/** The normal distribution's. */
function phi(x: number): number {
  return erfc(-x * Math.SQRT1_2) / 2;
}

function density(x: number): number {
  return Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
}

/** The argument of the sigmoid that is (1 + tanh) / 2. */
function tanhArgument(x: number): number {
  return Math.sqrt(8 / Math.PI) * (x + CUBIC * x ** 3);
}

/** x times its derivative. */
function tanhSlope(x: number): number {
  return x * Math.sqrt(8 / Math.PI) * (1 + 3 * CUBIC * x * x);
}

const declaration = /* @__PURE__ */ declareActivation({
  name: 'gelu',
  wgsl,
  includes: [bits, erf, sigmoid],
  params: {
    /** `'none'` is exact, by the error function; `'tanh'` the formula with tanh, as in GPT-2. */
    approximate: { choices: ['none', 'tanh'] },
  },
  forward: (x, { approximate }) =>
    approximate === NONE ? x * phi(x) : x * logistic(tanhArgument(x)),
  backward: (x, gradOutput, { approximate }) =>
    gradOutput *
    (approximate === NONE ? phi(x) + x * density(x) : gateSlope(tanhArgument(x), tanhSlope(x))),
  largestTerm: (x, { approximate }) =>
    approximate === NONE
      ? Math.max(phi(x), Math.abs(x) * density(x))
      : gateTerm(tanhArgument(x), tanhSlope(x)),
  accuracy: { forward: 3, backward: 4 },
  docs: {
    tex: String.raw`x \cdot \Phi(x) = \frac{x}{2} \operatorname{erfc}\left(-\frac{x}{\sqrt 2}\right)`,
    derivative: String.raw`\Phi(x) + x \varphi(x)`,
    range: String.raw`[-0.17, \infty)`,
    torch: 'gelu',
    cite: 'Hendrycks & Gimpel 2016, Gaussian Error Linear Units',
    use: 'The usual activation of transformers (BERT, GPT, ViT). If you load a trained model, use the form (`approximate`) that it was trained with. It costs more than relu. Below -0.75 it rises again as x falls.',
  },
});
export default declaration;

/** Gaussian error linear unit: x · Φ(x), Φ the normal distribution’s. `approximate`: `none` (default, by erfc, exact in the left
 * tail too) or `tanh`, the formula of BERT and GPT-2.
 *
 * @example gelu(x, { approximate: 'tanh' })
 */
export const gelu = /* @__PURE__ */ defineActivation(declaration);

/** `gelu` as a module. */
export class GELU extends /* @__PURE__ */ activationModule(gelu) {}

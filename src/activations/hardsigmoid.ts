import wgsl from '../../shaders/activations/hardsigmoid.wgsl?raw';
import { declareActivation, defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';
import { div } from '../shader/lib.ts';

const declaration = /* @__PURE__ */ declareActivation({
  name: 'hardsigmoid',
  wgsl,
  includes: [div],
  params: {
    /** The slope. Defaults to 1/6. */
    alpha: { default: 1 / 6, unit: 1 / 6, pair: true },
    /** The value at 0. */
    beta: { default: 0.5, unit: 0.5, pair: true },
  },
  forward: (x, { alpha, beta }) => {
    if (isStandard(alpha, beta)) return x <= -3 ? 0 : x >= 3 ? 1 : (x + 3) / 6;
    const y = alpha * x + beta;
    return y <= 0 ? 0 : y >= 1 ? 1 : y;
  },
  backward: (x, gradOutput, { alpha, beta }) => {
    if (isStandard(alpha, beta)) return x > -3 && x < 3 ? gradOutput / 6 : 0;
    const y = alpha * x + beta;
    return y > 0 && y < 1 ? gradOutput * alpha : 0;
  },
  inplace: () => false,
  accuracy: { forward: 1, backward: 1 },
  docs: {
    tex: String.raw`\min(\max(\alpha x + \beta, 0), 1)`,
    derivative: String.raw`\begin{cases} \alpha & 0 < \alpha x + \beta < 1 \\ 0 & \text{otherwise} \end{cases}`,
    range: String.raw`[0, 1]`,
    torch: 'hardsigmoid',
    cite: 'Courbariaux, Bengio & David 2015, BinaryConnect; Howard et al. 2019, Searching for MobileNetV3; ONNX HardSigmoid',
    kinks: 'the gradient is 0 at both kinks, which by default are at x = ±3',
    use: 'A cheap sigmoid for gates in networks on small devices. By default it is exactly 0 below -3 and exactly 1 above 3, and inputs there get no gradient.',
  },
});
export default declaration;

/**
 * Piecewise linear sigmoid: min(max(alpha x + beta, 0), 1), with `alpha` 1/6 and `beta` 1/2 by default, as in PyTorch, where it
 * is min(max(x + 3, 0), 6) / 6. ONNX has 0.2 and 0.5. Gradient alpha strictly between 0 and 1, else 0.
 *
 * @example hardsigmoid(x, { alpha: 0.2, beta: 0.5 })
 */
export const hardsigmoid = /* @__PURE__ */ defineActivation(declaration);

/** With the default options x + 3 is rounded once, as in PyTorch. */
function isStandard(alpha: number, beta: number): boolean {
  return alpha === 1 / 6 && beta === 0.5;
}

/** `hardsigmoid` as a module. */
export class Hardsigmoid extends /* @__PURE__ */ activationModule(hardsigmoid) {}

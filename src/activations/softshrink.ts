import wgsl from '../../shaders/activations/softshrink.wgsl?raw';
import { declareActivation, defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';
import { bits } from '../shader/lib.ts';

const declaration = /* @__PURE__ */ declareActivation({
  name: 'softshrink',
  wgsl,
  includes: [bits],
  params: {
    /** What is nearer to 0 is 0; at least 0. */
    lambd: { default: 0.5, min: 0 },
    /** How far other values are moved towards 0. Defaults to lambd. */
    offset: { default: 0.5, like: 'lambd' },
  },
  forward: (x, { lambd, offset }) => (x > lambd ? x - offset : x < -lambd ? x + offset : x * 0),
  backward: (x, gradOutput, { lambd }) => (x >= -lambd && x <= lambd ? 0 : gradOutput),
  accuracy: { forward: 0.5, backward: 0 },
  docs: {
    tex: String.raw`\begin{cases} x - o & x > \lambda \\ x + o & x < -\lambda \\ 0 & |x| \le \lambda \end{cases}`,
    derivative: String.raw`\begin{cases} 1 & |x| > \lambda \\ 0 & |x| \le \lambda \end{cases}`,
    range: String.raw`(-\infty, \infty)`,
    torch: 'softshrink',
    cite: 'Donoho 1995, De-Noising by Soft-Thresholding; ONNX Shrink',
    kinks: 'the gradient at x = ±lambd is 0',
    use: 'For sparse codes: it is the proximal step of an L1 penalty. Unlike hardshrink it does not jump, but it moves all large values towards 0 by lambd.',
  },
});
export default declaration;

/**
 * x - offset above lambd, x + offset below -lambd, and 0 where |x| is at most lambd (default 0.5, at least 0). `offset` is lambd
 * unless it is given (ONNX Shrink calls it bias). Gradient 1 outside, 0 inside and at ±lambd.
 *
 * @example softshrink(x, { lambd: 0.5, offset: 0 })
 */
export const softshrink = /* @__PURE__ */ defineActivation(declaration);

/** `softshrink` as a module. */
export class Softshrink extends /* @__PURE__ */ activationModule(softshrink) {}

import wgsl from '../../shaders/activations/hardshrink.wgsl?raw';
import { declareActivation, defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';

const declaration = /* @__PURE__ */ declareActivation({
  name: 'hardshrink',
  wgsl,
  params: {
    /** What is nearer to 0 is 0. */
    lambd: 0.5,
  },
  forward: (x, { lambd }) => (x >= -lambd && x <= lambd ? 0 : x),
  backward: (x, gradOutput, { lambd }) => (x >= -lambd && x <= lambd ? 0 : gradOutput),
  accuracy: { forward: 0, backward: 0 },
  docs: {
    tex: String.raw`\begin{cases} x & |x| > \lambda \\ 0 & |x| \le \lambda \end{cases}`,
    derivative: String.raw`\begin{cases} 1 & |x| > \lambda \\ 0 & |x| \le \lambda \end{cases}`,
    range: String.raw`(-\infty, \infty)`,
    torch: 'hardshrink',
    cite: 'Donoho & Johnstone 1994, Ideal Spatial Adaptation by Wavelet Shrinkage',
    kinks: 'the gradient at x = ±lambd is 0',
    use: 'For sparse codes and denoising: small values become 0, and all other values keep their size. The function jumps at ±lambd, and values between get no gradient.',
  },
});
export default declaration;

/**
 * 0 where |x| is at most lambd (default 0.5), x elsewhere. Gradient 1 where x is kept, 0 elsewhere.
 *
 * @example hardshrink(x, { lambd: 1 })
 */
export const hardshrink = /* @__PURE__ */ defineActivation(declaration);

/** `hardshrink` as a module. */
export class Hardshrink extends /* @__PURE__ */ activationModule(hardshrink) {}

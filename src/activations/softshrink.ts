import wgsl from '../../shaders/activations/softshrink.wgsl?raw';
import { defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';
import { bits } from '../shader/lib.ts';

/** x moved towards 0 by lambd (default 0.5, at least 0), and 0 where |x| is at most lambd. Gradient 1 outside, 0 inside and at ±lambd. */
export const softshrink = /* @__PURE__ */ defineActivation({
  name: 'softshrink',
  wgsl,
  includes: [bits],
  params: { lambd: { default: 0.5, min: 0 } },
  forward: (x, { lambd }) => (x > lambd ? x - lambd : x < -lambd ? x + lambd : x * 0),
  backward: (x, gradOutput, { lambd }) => (x >= -lambd && x <= lambd ? 0 : gradOutput),
  accuracy: { forward: 0.5, backward: 0 },
  docs: {
    tex: String.raw`\mathrm{sgn}(x) \max(|x| - \lambda, 0)`,
    derivative: String.raw`\begin{cases} 1 & |x| > \lambda \\ 0 & |x| \le \lambda \end{cases}`,
    range: String.raw`(-\infty, \infty)`,
    torch: 'softshrink',
    cite: 'Donoho 1995, De-Noising by Soft-Thresholding',
    kinks: '0 at x = ±lambd',
    use: 'Sparse codes (the proximal step of an L1 penalty). Continuous, unlike hardshrink, but everything is biased towards 0 by lambd.',
  },
});

/** `softshrink` as a module. */
export class Softshrink extends /* @__PURE__ */ activationModule(softshrink) {}

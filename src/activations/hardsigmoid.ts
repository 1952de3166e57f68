import wgsl from '../../shaders/activations/hardsigmoid.wgsl?raw';
import { defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';
import { div } from '../shader/lib.ts';

/** Piecewise linear sigmoid: min(max(x + 3, 0), 6) / 6. Gradient 1/6 between -3 and 3, 0 elsewhere, -3 and 3 included. */
export const hardsigmoid = /* @__PURE__ */ defineActivation({
  name: 'hardsigmoid',
  wgsl,
  includes: [div],
  forward: (x) => (x <= -3 ? 0 : x >= 3 ? 1 : (x + 3) / 6),
  backward: (x, gradOutput) => (x > -3 && x < 3 ? gradOutput / 6 : 0),
  accuracy: { forward: 1, backward: 1 },
  docs: {
    tex: String.raw`\frac{\min(\max(x + 3, 0), 6)}{6}`,
    derivative: String.raw`\begin{cases} \tfrac16 & |x| < 3 \\ 0 & |x| \ge 3 \end{cases}`,
    range: String.raw`[0, 1]`,
    torch: 'hardsigmoid',
    cite: 'Courbariaux, Bengio & David 2015, BinaryConnect; Howard et al. 2019, Searching for MobileNetV3',
    kinks: '0 at x = ±3',
    use: 'Gates in networks for small devices. Exactly 0 and 1 outside ±3, with no gradient there.',
  },
});

/** `hardsigmoid` as a module. */
export class Hardsigmoid extends /* @__PURE__ */ activationModule(hardsigmoid) {}

import wgsl from '../../shaders/activations/threshold.wgsl?raw';
import { declareActivation, defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';

const declaration = /* @__PURE__ */ declareActivation({
  name: 'threshold',
  wgsl,
  params: {
    /** Values above it stay. Has to be given. */
    threshold: { default: 0, required: true },
    /** What all others become. Has to be given. */
    value: { default: 0, required: true },
  },
  forward: (x, { threshold, value }) => (x <= threshold ? value : x),
  backward: (x, gradOutput, { threshold }) => (x <= threshold ? 0 : gradOutput),
  inplace: ({ threshold, value }) => value <= threshold,
  accuracy: { forward: 0, backward: 0 },
  docs: {
    tex: String.raw`\begin{cases} x & x > \mathrm{threshold} \\ \mathrm{value} & x \le \mathrm{threshold} \end{cases}`,
    derivative: String.raw`\begin{cases} 1 & x > \mathrm{threshold} \\ 0 & x \le \mathrm{threshold} \end{cases}`,
    range: String.raw`\{\mathrm{value}\} \cup (\mathrm{threshold}, \infty)`,
    torch: 'threshold',
    cite: 'McCulloch & Pitts 1943, A Logical Calculus of the Ideas Immanent in Nervous Activity',
    kinks: 'the gradient at x = threshold is 0',
    use: 'Replaces inputs up to the threshold by one value. With threshold 0 and value 0 it is relu. If the value is not the threshold, the function jumps there, and the gradient does not show this jump.',
  },
});
export default declaration;

/**
 * x above threshold, else value. Both options are required, as in PyTorch. Gradient 1 above threshold, 0 at and below.
 *
 * @example threshold(x, { threshold: 0.1, value: 0 })
 */
export const threshold = /* @__PURE__ */ defineActivation(declaration);

/** `threshold` as a module. */
export class Threshold extends /* @__PURE__ */ activationModule(threshold) {}

import wgsl from '../../shaders/activations/relu6.wgsl?raw';
import { declareActivation, defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';

const declaration = /* @__PURE__ */ declareActivation({
  name: 'relu6',
  wgsl,
  forward: (x) => (x < 0 ? 0 : x > 6 ? 6 : x),
  backward: (x, gradOutput) => (x <= 0 || x >= 6 ? 0 : gradOutput),
  inplace: () => true,
  accuracy: { forward: 0, backward: 0 },
  docs: {
    tex: String.raw`\min(\max(x, 0), 6)`,
    derivative: String.raw`\begin{cases} 1 & 0 < x < 6 \\ 0 & \text{otherwise} \end{cases}`,
    range: String.raw`[0, 6]`,
    torch: 'relu6',
    cite: 'Krizhevsky 2010, Convolutional Deep Belief Networks on CIFAR-10',
    kinks: 'the gradient is 0 at x = 0 and at x = 6',
    use: 'For networks that are quantised later (MobileNet), because its range is bounded. Units can die below 0 as with relu, and inputs above 6 get no gradient either.',
  },
});
export default declaration;

/**
 * Rectifier that stops at 6: min(max(x, 0), 6). Gradient 1 between 0 and 6, 0 elsewhere, 0 and 6 included.
 *
 * @example relu6(x)
 */
export const relu6 = /* @__PURE__ */ defineActivation(declaration);

/** `relu6` as a module. */
export class ReLU6 extends /* @__PURE__ */ activationModule(relu6) {}

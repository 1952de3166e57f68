import wgsl from '../../shaders/activations/relu-squared.wgsl?raw';
import { declareActivation, defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';

const declaration = /* @__PURE__ */ declareActivation({
  name: 'reluSquared',
  wgsl,
  forward: (x) => (x <= 0 ? 0 : x * x),
  backward: (x, gradOutput) => (x <= 0 ? 0 : 2 * x * gradOutput),
  accuracy: { forward: 1, backward: 1 },
  docs: {
    tex: String.raw`\max(x, 0)^2`,
    derivative: String.raw`2 \max(x, 0)`,
    range: String.raw`[0, \infty)`,
    cite: 'So et al. 2021, Primer: Searching for Efficient Transformers for Language Modeling',
    use: 'For the feed-forward layers of transformers. It makes many activations exactly 0. It grows with the square of the input, so put a norm before it.',
  },
});
export default declaration;

/**
 * Squared rectifier: max(x, 0)². Gradient 2 · max(x, 0). Not in PyTorch.
 *
 * @example reluSquared(x)
 */
export const reluSquared = /* @__PURE__ */ defineActivation(declaration);

/** `reluSquared` as a module. */
export class ReLUSquared extends /* @__PURE__ */ activationModule(reluSquared) {}

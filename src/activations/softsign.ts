import wgsl from '../../shaders/activations/softsign.wgsl?raw';
import { declareActivation, defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';
import { bits, div } from '../shader/lib.ts';

const declaration = /* @__PURE__ */ declareActivation({
  name: 'softsign',
  wgsl,
  includes: [bits, div],
  forward: (x) => x / (1 + Math.abs(x)),
  // PyTorch subtracts Inf from Inf where x or gradOutput is infinite.
  backward: (x, gradOutput) => gradOutput / (1 + Math.abs(x)) ** 2 + (0 * x + 0 * gradOutput),
  accuracy: { forward: 2, backward: 4 },
  docs: {
    tex: String.raw`\frac{x}{1 + |x|}`,
    derivative: String.raw`\frac{1}{(1 + |x|)^2}`,
    range: String.raw`(-1, 1)`,
    torch: 'softsign',
    cite: 'Bergstra, Desjardins, Lamblin & Bengio 2009, Quadratic Polynomials Learn Better Image Features',
    use: 'Like tanh, but it approaches ±1 more slowly. Units with large inputs therefore keep more gradient and still learn, slowly.',
  },
});
export default declaration;

/**
 * x / (1 + |x|), from -1 to 1. It saturates slowly: the gradient 1 / (1 + |x|)² falls as a power, not exponentially.
 *
 * @example softsign(x)
 */
export const softsign = /* @__PURE__ */ defineActivation(declaration);

/** `softsign` as a module. */
export class Softsign extends /* @__PURE__ */ activationModule(softsign) {}

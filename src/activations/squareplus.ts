import wgsl from '../../shaders/activations/squareplus.wgsl?raw';
import { LARGEST } from '../core/dtype.ts';
import { declareActivation, defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';
import { bits, div, sqrt } from '../shader/lib.ts';

/** √(x² + b), which stays finite. */
const rootOf = (x: number, b: number): number => Math.sqrt(x * x + b);

const declaration = /* @__PURE__ */ declareActivation({
  name: 'squareplus',
  wgsl,
  includes: [bits, div, sqrt],
  params: {
    /** How wide the bend is; above 0. */
    b: { default: 4, min: 0, above: true, max: LARGEST },
  },
  forward: (x, { b }) => (x < 0 ? b / 2 / (rootOf(x, b) - x) : (x + rootOf(x, b)) / 2),
  backward: (x, gradOutput, { b }) => {
    if (Math.abs(x) === Infinity) return x < 0 ? 0 * gradOutput : gradOutput;
    const rest = b / 2 / (x * x + b + Math.abs(x) * rootOf(x, b));
    return gradOutput * (x < 0 ? rest : 1 - rest);
  },
  accuracy: { forward: 3, backward: 4 },
  docs: {
    tex: String.raw`\frac{x + \sqrt{x^2 + b}}{2}`,
    derivative: String.raw`\frac12 \left(1 + \frac{x}{\sqrt{x^2 + b}}\right)`,
    range: String.raw`(0, \infty)`,
    cite: 'Barron 2021, Squareplus: A Softplus-Like Algebraic Rectifier',
    use: 'A softplus without an exponential, for devices where exponentials are slow. For negative x it approaches 0 only as 1 / |x|, much more slowly than softplus.',
  },
});
export default declaration;

/**
 * (x + √(x² + b)) / 2: a smooth relu without exponentials. `b` (default 4, above 0) is how wide the bend is: √b / 2 at 0. The
 * left tail, b / (4 |x|), keeps relative accuracy. Not in PyTorch; as `jax.nn.squareplus`.
 *
 * @example squareplus(x, { b: 1 })
 */
export const squareplus = /* @__PURE__ */ defineActivation(declaration);

/** `squareplus` as a module. */
export class Squareplus extends /* @__PURE__ */ activationModule(squareplus) {}

import wgsl from '../../shaders/activations/sigmoid.wgsl?raw';
import { at } from '../cpu/rows.ts';
import { declareActivation, defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';
import { sigmoid as sigmoidLib } from '../shader/lib.ts';
import { logistic } from '../cpu/special.ts';

const declaration = /* @__PURE__ */ declareActivation({
  name: 'sigmoid',
  wgsl,
  includes: [sigmoidLib],
  forward: logistic,
  forwardAll: (x, y) => {
    for (let i = 0; i < y.length; i++) y[i] = logistic(at(x, i));
  },
  backward: (x, gradOutput) => gradOutput * (logistic(x) * logistic(-x)),
  accuracy: { forward: 2, backward: 3 },
  docs: {
    tex: String.raw`\frac{1}{1 + e^{-x}}`,
    derivative: String.raw`\sigma(x)\,\sigma(-x)`,
    range: String.raw`(0, 1)`,
    torch: 'sigmoid',
    cite: 'Verhulst 1845; Rumelhart, Hinton & Williams 1986, Learning Representations by Back-Propagating Errors',
    use: 'For probabilities and gates. Its gradient is at most 1/4 and vanishes for large |x|, so deep stacks of sigmoid layers learn very slowly. To compute a loss, do not apply sigmoid first: give the logits to binaryCrossEntropyWithLogits.',
  },
});
export default declaration;

/**
 * Logistic function: 1 / (1 + e^-x), from 0 to 1. Both tails keep relative accuracy, in the gradient too.
 *
 * @example sigmoid(x)
 */
export const sigmoid = /* @__PURE__ */ defineActivation(declaration);

/** `sigmoid` as a module. */
export class Sigmoid extends /* @__PURE__ */ activationModule(sigmoid) {}

import wgsl from '../../shaders/activations/logsigmoid.wgsl?raw';
import { declareActivation, defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';
import { sigmoid as sigmoidLib, softplus as softplusLib } from '../shader/lib.ts';
import { logistic, softplusOf } from '../cpu/special.ts';

const declaration = /* @__PURE__ */ declareActivation({
  name: 'logsigmoid',
  wgsl,
  includes: [sigmoidLib, softplusLib],
  forward: (x) => -softplusOf(-x),
  backward: (x, gradOutput) => gradOutput * logistic(-x),
  accuracy: { forward: 3, backward: 3 },
  docs: {
    tex: String.raw`\log \frac{1}{1 + e^{-x}}`,
    derivative: String.raw`\sigma(-x)`,
    range: String.raw`(-\infty, 0)`,
    torch: 'logsigmoid',
    cite: 'PyTorch; Mikolov et al. 2013, Distributed Representations of Words and Phrases (its use in a loss)',
    use: 'For losses on logits, such as negative sampling and preference learning. It is not meant for hidden layers: its results are never above 0 and have no lower bound.',
  },
});
export default declaration;

/**
 * log(sigmoid(x)): the logarithm of a probability from its logit, without underflow.
 *
 * @example logsigmoid(x)
 */
export const logsigmoid = /* @__PURE__ */ defineActivation(declaration);

/** `logsigmoid` as a module. */
export class LogSigmoid extends /* @__PURE__ */ activationModule(logsigmoid) {}

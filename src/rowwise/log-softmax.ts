import wgsl from '../../shaders/rowwise/log-softmax.wgsl?raw';
import { at, logSoftmaxOf } from '../cpu/rows.ts';
import { functionModule } from '../define/module.ts';
import { declareRowwise, defineRowwise } from '../define/rowwise.ts';

const declaration = /* @__PURE__ */ declareRowwise({
  name: 'logSoftmax',
  wgsl,
  forward: logSoftmaxOf,
  backward: (y, gradOutput, gradInput) => {
    let total = 0;
    for (let i = 0; i < y.length; i++) total += at(gradOutput, i);
    for (let i = 0; i < y.length; i++) {
      gradInput[i] = at(gradOutput, i) - Math.exp(at(y, i)) * total;
    }
  },
  largestTerm: {
    backward: (y, gradOutput, term) => {
      const total = Math.abs(gradOutput.reduce((sum, g) => sum + g, 0));
      const largest = gradOutput.reduce((most, g) => Math.max(most, Math.abs(g)), 0);
      for (const [i, v] of y.entries()) {
        term[i] = Math.max(Math.abs(at(gradOutput, i)), Math.exp(v) * Math.max(total, largest));
      }
    },
  },
  leftOut: -Infinity,
  accuracy: { forward: 6, backward: 8 },
  docs: {
    tex: String.raw`x_i - \log \sum_j e^{x_j}`,
    derivative: String.raw`\partial y_i / \partial x_j = \delta_{ij} - e^{y_j}`,
    range: String.raw`(-\infty, 0]`,
    shapes:
      '`scale` (default 1) multiplies x first; `mask` (int32, 0 leaves an element out) broadcasts to x',
    torch: 'log_softmax',
    cite: 'Bridle 1990, Probabilistic Interpretation of Feedforward Classification Network Outputs',
    use: 'Turns logits into log-probabilities, the input of nllLoss. If you need only the loss, use crossEntropy: it does both in one kernel and does not store the log-probabilities.',
  },
});
export default declaration;

/**
 * Logarithm of the softmax along `dim`: x - log(sum of e^x), computed from the row's maximum. A row that holds NaN or
 * +Inf, or only -Inf, is NaN throughout.
 *
 * @example logSoftmax(x, { dim: 1 })
 */
export const logSoftmax = /* @__PURE__ */ defineRowwise(declaration);

/** `logSoftmax` as a module. */
export class LogSoftmax extends /* @__PURE__ */ functionModule(logSoftmax) {}

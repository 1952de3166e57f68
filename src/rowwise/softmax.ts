import wgsl from '../../shaders/rowwise/softmax.wgsl?raw';
import { softmaxGrad, softmaxGradTerm, softmaxOf } from '../cpu/rows.ts';
import { functionModule } from '../define/module.ts';
import { declareRowwise, defineRowwise } from '../define/rowwise.ts';

const declaration = /* @__PURE__ */ declareRowwise({
  name: 'softmax',
  wgsl,
  forward: softmaxOf,
  backward: softmaxGrad,
  largestTerm: { backward: softmaxGradTerm },
  leftOut: 0,
  accuracy: { forward: 6, backward: 8 },
  docs: {
    tex: String.raw`\frac{e^{x_i}}{\sum_j e^{x_j}}`,
    derivative: String.raw`\partial y_i / \partial x_j = y_i (\delta_{ij} - y_j)`,
    range: String.raw`[0, 1]`,
    shapes:
      '`scale` (default 1) multiplies x first; `mask` (int32, 0 leaves an element out) broadcasts to x',
    torch: 'softmax',
    cite: 'Bridle 1990, Probabilistic Interpretation of Feedforward Classification Network Outputs',
    use: 'Turns logits into class probabilities, or scores into attention weights. Do not take the logarithm of its results: very small probabilities become 0 in float32. logSoftmax and crossEntropy stay accurate there.',
  },
});
export default declaration;

/**
 * Softmax along `dim`: e^x over the sum of e^x, so that the results are positive and sum to 1. The row's maximum is
 * subtracted first. A row that holds NaN or +Inf, or only -Inf, is NaN throughout.
 *
 * @example softmax(x, { dim: -1 })
 */
export const softmax = /* @__PURE__ */ defineRowwise(declaration);

/** `softmax` as a module. */
export class Softmax extends /* @__PURE__ */ functionModule(softmax) {}

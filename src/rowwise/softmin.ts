import wgsl from '../../shaders/rowwise/softmin.wgsl?raw';
import { softmaxGrad, softmaxGradTerm, softmaxOf } from '../cpu/rows.ts';
import { functionModule } from '../define/module.ts';
import { declareRowwise, defineRowwise } from '../define/rowwise.ts';

const declaration = /* @__PURE__ */ declareRowwise({
  name: 'softmin',
  wgsl,
  forward: (x, y) => {
    const negated = x.map((v) => -v);
    softmaxOf(negated, y);
  },
  backward: (y, gradOutput, gradInput) => {
    softmaxGrad(y, gradOutput, gradInput);
    for (const [i, g] of gradInput.entries()) gradInput[i] = -g;
  },
  largestTerm: { backward: softmaxGradTerm },
  leftOut: 0,
  accuracy: { forward: 6, backward: 8 },
  docs: {
    tex: String.raw`\frac{e^{-x_i}}{\sum_j e^{-x_j}}`,
    derivative: String.raw`\partial y_i / \partial x_j = -y_i (\delta_{ij} - y_j)`,
    range: String.raw`[0, 1]`,
    shapes:
      '`scale` (default 1) multiplies x first; `mask` (int32, 0 leaves an element out) broadcasts to x',
    torch: 'softmin',
    cite: 'Bridle 1990, Probabilistic Interpretation of Feedforward Classification Network Outputs',
    use: 'Turns distances or energies into probabilities: the smallest gets the highest probability.',
  },
});
export default declaration;

/**
 * Softmax of -x along `dim`: the smallest element gets the largest share. A row that holds NaN or -Inf, or only +Inf, is
 * NaN throughout.
 *
 * @example softmin(x, { dim: 1 })
 */
export const softmin = /* @__PURE__ */ defineRowwise(declaration);

/** `softmin` as a module. */
export class Softmin extends /* @__PURE__ */ functionModule(softmin) {}

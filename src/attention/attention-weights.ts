// The weights of attention where they are asked for: softmax of the scores, with rows that attend to nothing.
import wgsl from '../../shaders/rowwise/attention-weights.wgsl?raw';
import { softmaxGrad, softmaxGradTerm, softmaxOf } from '../cpu/rows.ts';
import { defineRowwise } from '../define/rowwise.ts';

/** @internal Softmax along `dim`; a row of nothing but -Inf gives 0, and passes no gradient, where `softmax` gives NaN. */
export const attentionWeights = /* @__PURE__ */ defineRowwise({
  name: 'attentionWeights',
  wgsl,
  forward: (x, y) => {
    if (x.every((score) => score === -Infinity)) y.fill(0);
    else softmaxOf(x, y);
  },
  backward: softmaxGrad,
  largestTerm: { backward: softmaxGradTerm },
});

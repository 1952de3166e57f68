import wgsl from '../../shaders/activations/hardtanh.wgsl?raw';
import { declareActivation, defineActivation } from '../define/activation.ts';
import { activationModule } from '../define/module.ts';
import { checkOrder } from '../core/validate-options.ts';

const declaration = /* @__PURE__ */ declareActivation({
  name: 'hardtanh',
  wgsl,
  params: {
    /** The least value, below maxVal. */
    minVal: -1,
    /** The largest value. */
    maxVal: 1,
  },
  check: (op, { minVal, maxVal }) => {
    checkOrder(op, ['minVal', minVal], ['maxVal', maxVal]);
  },
  forward: (x, { minVal, maxVal }) => (x < minVal ? minVal : x > maxVal ? maxVal : x),
  backward: (x, gradOutput, { minVal, maxVal }) => (x <= minVal || x >= maxVal ? 0 : gradOutput),
  inplace: () => true,
  accuracy: { forward: 0, backward: 0 },
  docs: {
    tex: String.raw`\min(\max(x, \mathrm{minVal}), \mathrm{maxVal})`,
    range: String.raw`[\mathrm{minVal}, \mathrm{maxVal}]`,
    derivative: String.raw`\begin{cases} 1 & \mathrm{minVal} < x < \mathrm{maxVal} \\ 0 & \text{otherwise} \end{cases}`,
    torch: 'hardtanh',
    cite: 'Collobert 2004, Large Scale Machine Learning',
    kinks: 'the gradient is 0 at x = minVal and at x = maxVal',
    use: 'A cheap tanh, for bounded outputs and quantised networks. Inputs outside the range get no gradient, so keep them scaled.',
  },
});
export default declaration;

/**
 * Clamps x to [minVal, maxVal] (default -1 and 1). Gradient 1 inside, 0 outside and at both ends.
 *
 * @example hardtanh(x, { minVal: 0, maxVal: 6 })
 */
export const hardtanh = /* @__PURE__ */ defineActivation(declaration);

/** `hardtanh` as a module. */
export class Hardtanh extends /* @__PURE__ */ activationModule(hardtanh) {}

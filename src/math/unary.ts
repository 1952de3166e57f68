// Elementwise functions of one tensor, with gradients. They are declared as activations are: bias, float16, `out`, and what
// `linear` applies in its own kernel follow.
import absText from '../../shaders/math/abs.wgsl?raw';
import expText from '../../shaders/math/exp.wgsl?raw';
import logText from '../../shaders/math/log.wgsl?raw';
import negText from '../../shaders/math/neg.wgsl?raw';
import sqrtText from '../../shaders/math/sqrt.wgsl?raw';
import { defineActivation } from '../define/activation.ts';
import { bits, div, exp as expLib, log as logLib, sqrt as sqrtLib } from '../shader/lib.ts';

/**
 * e^x: at most 1.1 ULP off. Same shape, dtype and device as `x`; infinite from 88.73 up (11.1 as float16), 0 far below 0.
 * Gradient: gradOutput · e^x, computed together, so that it is finite wherever the product is.
 *
 * @example exp(tensor([0, 1])) // [1, 2.7182817]
 */
export const exp = /* @__PURE__ */ defineActivation({
  name: 'exp',
  wgsl: expText,
  includes: [expLib],
  forward: (x) => Math.exp(x),
  backward: (x, gradOutput) => gradOutput * Math.exp(x),
  accuracy: { forward: 1.1, backward: 3 },
});

/**
 * ln x: at most 1 ULP off. Same shape, dtype and device as `x`; -Infinity at 0, NaN below. Gradient: gradOutput / x, infinite
 * at 0.
 *
 * @example log(tensor([1, 10])) // [0, 2.3025851]
 */
export const log = /* @__PURE__ */ defineActivation({
  name: 'log',
  wgsl: logText,
  includes: [logLib, div],
  forward: (x) => Math.log(x),
  backward: (x, gradOutput) => gradOutput / x,
  accuracy: { forward: 1, backward: 3 },
});

/**
 * The square root: at most 1 ULP off, subnormal numbers included. Same shape, dtype and device as `x`; -0 stays, NaN below it.
 * Gradient: gradOutput / (2 √x), infinite at 0.
 *
 * @example sqrt(tensor([4, 2])) // [2, 1.4142135]
 */
export const sqrt = /* @__PURE__ */ defineActivation({
  name: 'sqrt',
  wgsl: sqrtText,
  includes: [bits, div, sqrtLib],
  forward: (x) => Math.sqrt(x),
  backward: (x, gradOutput) => gradOutput / (2 * Math.sqrt(x)),
  accuracy: { forward: 1, backward: 3 },
});

/**
 * |x|, exactly. Same shape, dtype and device as `x`. Gradient: gradOutput times the sign of x, which is 0 at 0 and for NaN.
 *
 * @example abs(tensor([-2, 3])) // [2, 3]
 */
export const abs = /* @__PURE__ */ defineActivation({
  name: 'abs',
  wgsl: absText,
  forward: (x) => Math.abs(x),
  backward: (x, gradOutput) => gradOutput * (x > 0 ? 1 : x < 0 ? -1 : 0),
  accuracy: { forward: 0, backward: 0 },
});

/**
 * -x, exactly: 0 becomes -0. Same shape, dtype and device as `x`. Gradient: -gradOutput.
 *
 * @example neg(tensor([-2, 3])) // [2, -3]
 */
export const neg = /* @__PURE__ */ defineActivation({
  name: 'neg',
  wgsl: negText,
  forward: (x) => -x,
  backward: (_x, gradOutput) => -gradOutput,
  accuracy: { forward: 0, backward: 0 },
});

// Takes a declared activation, and gives the same op as one would write it with WGSL's built-ins, for comparison. Those
// without an entry have none that differs, or nobody wrote it.
import { defineActivation } from '../../src/define/activation.ts';
import { defineGated } from '../../src/define/gated.ts';
import type { Documented } from '../../src/define/op.ts';
import { epilogueOf, gatedOf } from './cases.ts';

/** By op: an expression of `x` and `p` for the function, and one for its derivative. */
const NAIVE: Readonly<Record<string, readonly [forward: string, derivative: string]>> = {
  relu: ['max(x, 0.0)', 'select(0.0, 1.0, x > 0.0)'],
  // There is no erf: Abramowitz & Stegun's 7.1.26, as TensorFlow.js and ONNX Runtime Web have it.
  gelu: [
    'select(0.5 * x * (1.0 + tanh(gelu_arg(x))), 0.5 * x * (1.0 + erf(x * 0.70710678)), approximate == 0u)',
    `select(
      0.5 * (1.0 + tanh(gelu_arg(x))) +
        0.5 * x * (1.0 - pow(tanh(gelu_arg(x)), 2.0)) * (0.79788456 + 0.107032224 * x * x),
      0.5 * (1.0 + erf(x * 0.70710678)) + 0.39894228 * x * exp(-0.5 * x * x),
      approximate == 0u,
    )`,
  ],
  reluSquared: ['max(x, 0.0) * max(x, 0.0)', '2.0 * max(x, 0.0)'],
  hardtanh: ['clamp(x, p.min_val, p.max_val)', 'select(0.0, 1.0, x > p.min_val && x < p.max_val)'],
  softshrink: ['sign(x) * max(abs(x) - p.lambd, 0.0)', 'select(0.0, 1.0, abs(x) > p.lambd)'],
  hardshrink: ['select(0.0, x, abs(x) > p.lambd)', 'select(0.0, 1.0, abs(x) > p.lambd)'],
  threshold: ['select(p.value, x, x > p.threshold)', 'select(0.0, 1.0, x > p.threshold)'],
  leakyRelu: [
    'max(x, 0.0) + p.negative_slope * min(x, 0.0)',
    'select(p.negative_slope, 1.0, x > 0.0)',
  ],
  sigmoid: ['1.0 / (1.0 + exp(-x))', 'logistic(x) * (1.0 - logistic(x))'],
  tanh: ['tanh(x)', '1.0 - tanh(x) * tanh(x)'],
  silu: ['x * logistic(x)', 'logistic(x) * (1.0 + x * (1.0 - logistic(x)))'],
  quickGelu: [
    'x * logistic(1.702 * x)',
    'logistic(1.702 * x) * (1.0 + 1.702 * x * (1.0 - logistic(1.702 * x)))',
  ],
  mish: [
    'x * tanh(log(1.0 + exp(x)))',
    'tanh(log(1.0 + exp(x))) + x * logistic(x) * (1.0 - pow(tanh(log(1.0 + exp(x))), 2.0))',
  ],
  elu: ['select(p.alpha * (exp(x) - 1.0), x, x > 0.0)', 'select(p.alpha * exp(x), 1.0, x > 0.0)'],
  celu: [
    'max(x, 0.0) + min(p.alpha * (exp(x / p.alpha) - 1.0), 0.0)',
    'select(exp(x / p.alpha), 1.0, x > 0.0)',
  ],
  selu: [
    '1.0507009873554805 * select(1.6732632423543772 * (exp(x) - 1.0), x, x > 0.0)',
    '1.0507009873554805 * select(1.6732632423543772 * exp(x), 1.0, x > 0.0)',
  ],
  softplus: [
    'select(log(1.0 + exp(p.beta * x)) / p.beta, x, p.beta * x > p.threshold)',
    'select(logistic(p.beta * x), 1.0, p.beta * x > p.threshold)',
  ],
  logsigmoid: ['-log(1.0 + exp(-x))', '1.0 - logistic(x)'],
  softsign: ['x / (1.0 + abs(x))', '1.0 / ((1.0 + abs(x)) * (1.0 + abs(x)))'],
  tanhshrink: ['x - tanh(x)', 'tanh(x) * tanh(x)'],
  hardswish: [
    'x * clamp(x + 3.0, 0.0, 6.0) / 6.0',
    'select(select(x / 3.0 + 0.5, 1.0, x >= 3.0), 0.0, x <= -3.0)',
  ],
  hardsigmoid: ['clamp(x + 3.0, 0.0, 6.0) / 6.0', 'select(0.0, 1.0 / 6.0, abs(x) < 3.0)'],
  relu6: ['clamp(x, 0.0, 6.0)', 'select(0.0, 1.0, x > 0.0 && x < 6.0)'],
};

const wgslOf = ([forward, derivative]: readonly [string, string]): string => `
fn logistic(x: f32) -> f32 { return 1.0 / (1.0 + exp(-x)); }
fn gelu_arg(x: f32) -> f32 { return 0.79788456 * (x + 0.044715 * x * x * x); }
fn erf(v: f32) -> f32 {
  let t = 1.0 / (1.0 + 0.3275911 * abs(v));
  let s = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return sign(v) * (1.0 - s * exp(-v * v));
}
fn forward(x: f32, p: Params) -> f32 { return ${forward}; }
fn backward(x: f32, grad_output: f32, p: Params) -> f32 { return grad_output * (${derivative}); }
`;

/** The op with WGSL's built-ins, or undefined. */
export function withBuiltins(op: Documented): Documented | undefined {
  const gated = gatedOf(op);
  if (gated) {
    const activation = withBuiltins(gated.activation as unknown as Documented);
    if (!activation) return undefined;
    return Object.assign(
      defineGated({
        name: `${op.op} with built-ins`,
        activation: activation as unknown as typeof gated.activation,
        gate: gated.gate,
      }),
      { docs: op.docs, accuracy: op.accuracy },
    );
  }
  const naive = NAIVE[op.op];
  const epilogue = epilogueOf(op);
  if (!naive || !epilogue) return undefined;
  const { forward, backward } = epilogue;
  const activation = defineActivation({
    name: `${op.op} with built-ins`,
    wgsl: wgslOf(naive),
    params: op.specs ?? {},
    forward: (x, params) => forward(x, params),
    backward: (x, gradOutput, params) => backward(x, gradOutput, params),
  });
  return Object.assign(activation, { docs: op.docs, accuracy: op.accuracy });
}

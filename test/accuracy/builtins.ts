// In: a declared activation. Out: the same op as one would write it with WGSL's built-ins, for comparison. Those without an
// entry have none that differs, or nobody wrote it.
import { defineActivation } from '../../src/define/activation.ts';
import type { Documented } from '../../src/define/op.ts';
import { epilogueOf } from './cases.ts';

/** By op: an expression of `x` and `p` for the function, and one for its derivative. */
const NAIVE: Readonly<Record<string, readonly [forward: string, derivative: string]>> = {
  relu: ['max(x, 0.0)', 'select(0.0, 1.0, x > 0.0)'],
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
fn forward(x: f32, p: Params) -> f32 { return ${forward}; }
fn backward(x: f32, grad_output: f32, p: Params) -> f32 { return grad_output * (${derivative}); }
`;

/** The op with WGSL's built-ins, or undefined. */
export function withBuiltins(op: Documented): Documented | undefined {
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

// ONNX's operators of each number by itself, of which activations are made: from curves to a curve.
import erfc from '@stdlib/math-base-special-erfc';
import type { OnnxNode } from './onnx.ts';

export type Curve = (x: number) => number;

type Make = (args: readonly (Curve | undefined)[], node: OnnxNode) => Curve;

const of =
  (compute: (x: number, option: (name: string, otherwise: number) => number) => number): Make =>
  ([x = NONE], { numbers }) => {
    const option = (name: string, otherwise: number) => numbers.get(name) ?? otherwise;
    return (at) => compute(x(at), option);
  };

const ofTwo =
  (compute: (a: number, b: number) => number): Make =>
  ([a = NONE, b = NONE]) =>
  (at) =>
    compute(a(at), b(at));

const erf = (x: number) => 1 - erfc(x);
const NONE: Curve = () => NaN;
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const hardSigmoid = (x: number, alpha: number, beta: number) =>
  Math.min(1, Math.max(0, alpha * x + beta));
const elu = (x: number, alpha: number) => (x > 0 ? x : alpha * Math.expm1(x));

export const ELEMENTWISE: Readonly<Partial<Record<string, Make>>> = {
  Abs: of(Math.abs),
  Neg: of((x) => -x),
  Exp: of(Math.exp),
  Sqrt: of(Math.sqrt),
  Erf: of(erf),
  Add: ofTwo((a, b) => a + b),
  Sub: ofTwo((a, b) => a - b),
  Mul: ofTwo((a, b) => a * b),
  Div: ofTwo((a, b) => a / b),
  Pow: ofTwo((a, b) => a ** b),
  Min: ofTwo(Math.min),
  Max: ofTwo(Math.max),
  Clip:
    ([x = NONE, least, most], { numbers }) =>
    (at) => {
      // attributes in files older than opset 11
      const low = least?.(at) ?? numbers.get('min') ?? -Infinity;
      const high = most?.(at) ?? numbers.get('max') ?? Infinity;
      return Math.min(high, Math.max(low, x(at)));
    },
  Relu: of((x) => Math.max(0, x)),
  LeakyRelu: of((x, option) => (x < 0 ? option('alpha', 0.01) * x : x)),
  Elu: of((x, option) => elu(x, option('alpha', 1))),
  Celu: of((x, option) => {
    const alpha = option('alpha', 1);
    return x > 0 ? x : alpha * Math.expm1(x / alpha);
  }),
  // the defaults of the format, which are rounded
  Selu: of(
    (x, option) =>
      option('gamma', 1.0507010221481323) * elu(x, option('alpha', 1.6732631921768188)),
  ),
  Sigmoid: of(sigmoid),
  Tanh: of(Math.tanh),
  Softplus: of(softplus),
  Softsign: of((x) => x / (1 + Math.abs(x))),
  HardSigmoid: of((x, option) => hardSigmoid(x, option('alpha', 0.2), option('beta', 0.5))),
  HardSwish: of((x) => x * hardSigmoid(x, 1 / 6, 0.5)),
  Mish: of((x) => x * Math.tanh(softplus(x))),
  Gelu: ([x = NONE], { words }) => {
    const tanh = words.get('approximate') === 'tanh';
    return (at) => {
      const value = x(at);
      const inner = Math.sqrt(2 / Math.PI) * (value + 0.044715 * value ** 3);
      return 0.5 * value * (1 + (tanh ? Math.tanh(inner) : erf(value / Math.SQRT2)));
    };
  },
};

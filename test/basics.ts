// The five basic examples and their variants, each as a function and as a module, with the values that PyTorch prints.
import {
  crossEntropy,
  focalLoss,
  huberLoss,
  l1Loss,
  leakyRelu,
  logSoftmax,
  mseLoss,
  nllLoss,
  nn,
  prelu,
  relu,
  sigmoid,
  tanh,
  tensor,
  type Device,
  type Tensor,
} from '../src/index.ts';
import { ensure, ensureEqual, type Check } from './check.ts';

interface Basic {
  readonly name: string;
  readonly expected: readonly number[];
  readonly fn: (device: Device) => Tensor;
  readonly module: (device: Device) => Tensor;
}

const x = (device: Device): Tensor => tensor([[-1.5, 2]], { device });
const numbers = (device: Device, f: (i: number) => number): Tensor =>
  tensor(
    Float32Array.from({ length: 20 }, (_, i) => f(i)),
    { shape: [10, 2], device },
  );
const input = (device: Device): Tensor => numbers(device, (i) => ((i * 13) % 17) / 8 - 1);
const target = (device: Device): Tensor => numbers(device, (i) => ((i * 5) % 7) / 3 - 1);
const logits = (device: Device): Tensor => numbers(device, (i) => ((i * 7) % 11) / 5 - 1);
const classes = (device: Device): Tensor =>
  tensor([0, 1, 1, 0, 1, 0, 0, 1, 1, 0], { dtype: 'int32', device });
const weight = (device: Device): Tensor => tensor([0.25, 1], { device });
const slope = (device: Device): Tensor => tensor([0.25], { device });

const basics: readonly Basic[] = [
  {
    name: 'ReLU of [1, 2]',
    expected: [0, 2],
    fn: (d) => relu(x(d)),
    module: (d) => new nn.ReLU().forward(x(d)),
  },
  {
    name: 'Sigmoid of [1, 2]',
    expected: [0.182425529, 0.880797029],
    fn: (d) => sigmoid(x(d)),
    module: (d) => new nn.Sigmoid().forward(x(d)),
  },
  {
    name: 'Tanh of [1, 2]',
    expected: [-0.905148268, 0.964027584],
    fn: (d) => tanh(x(d)),
    module: (d) => new nn.Tanh().forward(x(d)),
  },
  {
    name: 'MSE of two [10, 2]',
    expected: [0.787673593],
    fn: (d) => mseLoss(input(d), target(d)),
    module: (d) => new nn.MSELoss().forward(input(d), target(d)),
  },
  {
    name: 'cross-entropy of [10, 2] as log-softmax, then NLL',
    expected: [0.610827327],
    fn: (d) => nllLoss(logSoftmax(logits(d), { dim: 1 }), classes(d)),
    module: (d) =>
      new nn.NLLLoss().forward(new nn.LogSoftmax({ dim: 1 }).forward(logits(d)), classes(d)),
  },
  {
    name: 'cross-entropy of [10, 2] in one',
    expected: [0.610827327],
    fn: (d) => crossEntropy(logits(d), classes(d)),
    module: (d) => new nn.CrossEntropyLoss().forward(logits(d), classes(d)),
  },
  {
    name: 'leaky ReLU, for dead ReLUs',
    expected: [-0.150000006, 2],
    fn: (d) => leakyRelu(x(d), { negativeSlope: 0.1 }),
    module: (d) => new nn.LeakyReLU({ negativeSlope: 0.1 }).forward(x(d)),
  },
  {
    name: 'PReLU, for dead ReLUs',
    expected: [-0.375, 2],
    fn: (d) => prelu(x(d), slope(d)),
    module: (d) => new nn.PReLU({ device: d }).forward(x(d)),
  },
  {
    name: 'L1, for outliers',
    expected: [0.720833302],
    fn: (d) => l1Loss(input(d), target(d)),
    module: (d) => new nn.L1Loss().forward(input(d), target(d)),
  },
  {
    name: 'Huber, for outliers',
    expected: [0.254904509],
    fn: (d) => huberLoss(input(d), target(d), { delta: 0.5 }),
    module: (d) => new nn.HuberLoss({ delta: 0.5 }).forward(input(d), target(d)),
  },
  {
    name: 'class-weighted cross-entropy, for imbalance',
    expected: [0.604745388],
    fn: (d) => crossEntropy(logits(d), classes(d), { weight: weight(d) }),
    module: (d) => new nn.CrossEntropyLoss({ weight: weight(d) }).forward(logits(d), classes(d)),
  },
  {
    name: 'focal loss, for imbalance',
    expected: [0.232632637],
    fn: (d) => focalLoss(logits(d), classes(d)),
    module: (d) => new nn.FocalLoss().forward(logits(d), classes(d)),
  },
];

/** Compares with PyTorch's value, to four units in its last float32 place, and prints it. */
async function compare(name: string, expected: readonly number[], result: Tensor): Promise<void> {
  const values = await result.data();
  console.log(`${name}: ${values.join(', ')}`);
  ensureEqual(values.length, expected.length, 'elements');
  expected.forEach((value, i) => {
    const off = Math.abs((values[i] ?? NaN) - value);
    ensure(off <= 4 * 2 ** -24 * Math.abs(value), `[${i}] = ${values[i] ?? NaN}, not ${value}`);
  });
}

export const basicsChecks: readonly Check<Device>[] = basics.flatMap(
  ({ name, expected, fn, module }) => [
    { name: `${name}, as a function`, run: (device) => compare(name, expected, fn(device)) },
    { name: `${name}, as a module`, run: (device) => compare(name, expected, module(device)) },
  ],
);

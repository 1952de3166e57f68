// The commonest mistakes: the error tells how to mend the call.
import {
  adaptiveLogSoftmaxWithLoss,
  crossEntropy,
  ctcLoss,
  DTypeError,
  focalLoss,
  linear,
  linearCrossEntropy,
  multiMarginLoss,
  multilabelMarginLoss,
  nllLoss,
  OptionError,
  prelu,
  ShapeError,
  tensor,
  type Device,
  type Tensor,
} from '../../src/index.ts';
import { junk, type Refusal } from './refusal.ts';

const INDICES = "class indices are int32: tensor([0, 1], { dtype: 'int32' })";
const zeros = (device: Device, ...shape: number[]): Tensor =>
  tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), { shape, device });
const labels = (device: Device, ...shape: number[]): Tensor =>
  tensor(new Int32Array(shape.reduce((a, b) => a * b, 1)), { shape, device, dtype: 'int32' });

type Loss = (device: Device, target: Tensor) => unknown;

/** Calls with a target of class indices [2]. */
const LOSSES: Readonly<Record<string, Loss>> = {
  crossEntropy: (device, target) => crossEntropy(zeros(device, 2, 2), target),
  nllLoss: (device, target) => nllLoss(zeros(device, 2, 2), target),
  focalLoss: (device, target) => focalLoss(zeros(device, 2, 2), target),
  multiMarginLoss: (device, target) => multiMarginLoss(zeros(device, 2, 2), target),
  multilabelMarginLoss: (device, target) => multilabelMarginLoss(zeros(device, 2), target),
  linearCrossEntropy: (device, target) =>
    linearCrossEntropy(zeros(device, 2, 3), zeros(device, 4, 3), target),
  adaptiveLogSoftmaxWithLoss: (device, target) =>
    adaptiveLogSoftmaxWithLoss(zeros(device, 2, 3), target, zeros(device, 2, 3), [
      [zeros(device, 1, 3), zeros(device, 2, 1)],
    ]),
};
const SOFT = ['crossEntropy', 'linearCrossEntropy'];

const floats = Object.entries(LOSSES).flatMap(([op, loss]): Refusal[] => [
  {
    name: `float labels for ${op}, and says what labels are`,
    op,
    argument: 'target',
    error: SOFT.includes(op) ? ShapeError : DTypeError,
    says: INDICES,
    given: ({ device }) => {
      const target = tensor([0, 1], { device });
      return () => loss(device, target);
    },
  },
  {
    name: `labels in an array for ${op}, and says what labels are`,
    op,
    argument: 'target',
    error: DTypeError,
    says: INDICES,
    given:
      ({ device }) =>
      () =>
        loss(device, junk([0, 1])),
  },
]);

const LAST: Readonly<Record<string, typeof crossEntropy>> = { crossEntropy, nllLoss, focalLoss };

const dimensions = Object.entries(LAST).flatMap(([op, loss]): Refusal[] => [
  {
    name: `classes on the last dimension for ${op}, and says where they are`,
    op,
    argument: 'target',
    error: ShapeError,
    says: 'classes are on dimension 1: move them there, or reshape the input to [6, 5] and the target to [6]',
    given: ({ device }) => {
      const [input, target] = [zeros(device, 2, 3, 5), labels(device, 2, 3)];
      return () => loss(input, target);
    },
  },
  {
    name: `classes on the last of four dimensions for ${op}, and says where they are`,
    op,
    argument: 'target',
    error: ShapeError,
    says: 'reshape the input to [24, 5] and the target to [24]',
    given: ({ device }) => {
      const [input, target] = [zeros(device, 2, 3, 4, 5), labels(device, 2, 3, 4)];
      return () => loss(input, target);
    },
  },
]);

/** What stands for prelu's weight in a layer that applies it. */
const WEIGHTS: readonly [
  name: string,
  options: unknown,
  argument: string,
  error: Refusal['error'],
][] = [
  ['no options', undefined, 'activationOptions.weight', DTypeError],
  ['no weight', {}, 'activationOptions.weight', DTypeError],
  ['null for the weight', { weight: null }, 'activationOptions.weight', DTypeError],
  ['a number for the weight', { weight: 0.25 }, 'activationOptions.weight', DTypeError],
  ['an option of another activation', { negativeSlope: 0.25 }, 'negativeSlope', OptionError],
];

const learned = WEIGHTS.map(([name, options, argument, error]): Refusal => ({
  name: `${name} of prelu in linear`,
  op: 'linear',
  argument,
  error,
  given: ({ device }) => {
    const [x, weight] = [zeros(device, 2, 2), zeros(device, 3, 2)];
    const given = { activation: prelu, activationOptions: options };
    return () => linear(x, weight, junk(given));
  },
}));

export const mistakeRefusals: readonly Refusal[] = [
  ...floats,
  ...dimensions,
  ...learned,
  {
    name: 'float labels for ctcLoss, and says what labels are',
    op: 'ctcLoss',
    argument: 'targets',
    error: DTypeError,
    says: INDICES,
    given: ({ device }) => {
      const [scores, targets] = [zeros(device, 4, 1, 3), zeros(device, 1, 2)];
      return () => ctcLoss(scores, targets, [4], [2]);
    },
  },
];

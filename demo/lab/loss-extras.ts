// Takes a loss's name, and gives options that it takes besides those it declares, which are tensors or of its rows, as
// controls.
import { tensor, type Device } from 'nonlin';
import type { NumberOption, Value } from './options.ts';

export interface Extra {
  readonly option: NumberOption;
  /** What the loss is called with. */
  readonly given: (value: number, device: Device) => object;
  /** The same as code. */
  readonly code: (value: Value) => string;
}

const labelSmoothing: Extra = {
  option: { name: 'labelSmoothing', value: 0, min: 0, max: 1, step: 0.01 },
  given: (value) => ({ labelSmoothing: value }),
  code: (value) => `labelSmoothing: ${value}`,
};

/** A weight of 1 says nothing: it is left out. */
const weightOf = (name: string, label: string, others: number): Extra => {
  const row = (value: number) => [value, ...Array<number>(others).fill(1)];
  return {
    option: { name, label, value: 1, min: 0, max: 5, step: 0.1 },
    given: (value, device) => (value === 1 ? {} : { [name]: tensor(row(value), { device }) }),
    code: (value) => `${name}: tensor([${row(Number(value)).join(', ')}])`,
  };
};

/** Of three classes, as many as the pictures have. */
const classWeight = weightOf('weight', 'weight of class 0', 2);
const weight = weightOf('weight', 'weight', 0);

/** A single negative, at an angle to the positive. */
const negative: Extra = {
  option: { name: 'negative', label: 'angle of a negative', value: 2, min: 0, max: 3.1, step: 0.1 },
  given: (value, device) => ({
    negatives: tensor([[Math.cos(value), Math.sin(value)]], { device }),
  }),
  code: (value) => `negatives: tensor([[Math.cos(${value}), Math.sin(${value})]])`,
};

/** A number that a loss takes as a number or a tensor; its default is left out. */
const scalar = (option: NumberOption): Extra => ({
  option,
  given: (value) => (value === option.value ? {} : { [option.name]: value }),
  code: (value) => `${option.name}: ${value}`,
});

const EXTRAS: Readonly<Partial<Record<string, readonly Extra[]>>> = {
  crossEntropy: [labelSmoothing, classWeight],
  linearCrossEntropy: [labelSmoothing, classWeight],
  nllLoss: [classWeight],
  focalLoss: [classWeight],
  polyLoss: [classWeight],
  generalizedCrossEntropy: [classWeight],
  arcFaceLoss: [classWeight],
  cosFaceLoss: [classWeight],
  multiMarginLoss: [classWeight],
  multilabelSoftMarginLoss: [classWeight],
  infoNceLoss: [negative],
  clipLoss: [scalar({ name: 'logitScale', value: 1 / 0.07, min: 1, max: 100, step: 0.1 })],
  sigLipLoss: [
    scalar({ name: 'logitScale', value: 10, min: 1, max: 100, step: 0.1 }),
    scalar({ name: 'logitBias', value: -10, min: -20, max: 10, step: 0.1 }),
  ],
  binaryCrossEntropy: [weight],
  binaryCrossEntropyWithLogits: [weight, weightOf('posWeight', 'posWeight', 0)],
};

export const extrasOf = (op: string): readonly Extra[] => EXTRAS[op] ?? [];

// The activations that the front page's spirals can learn with, and their loss: named here, so that the first page does
// not bring the whole catalog along.
import { crossEntropy, nn, tensor } from 'nonlin';
import type { ActivationChoice } from '../../training/activations.ts';
import type { LossChoice } from '../../training/loss.ts';

const MODULES = {
  relu: () => new nn.ReLU(),
  gelu: () => new nn.GELU(),
  tanh: () => new nn.Tanh(),
  sigmoid: () => new nn.Sigmoid(),
  silu: () => new nn.SiLU(),
  mish: () => new nn.Mish(),
  elu: () => new nn.ELU(),
  leakyRelu: () => new nn.LeakyReLU(),
  softplus: () => new nn.Softplus(),
  hardswish: () => new nn.Hardswish(),
  reluSquared: () => new nn.ReLUSquared(),
  softsign: () => new nn.Softsign(),
} as const;

export type Name = keyof typeof MODULES;

const NAMES = Object.keys(MODULES) as Name[];
/** Always there, to compare with. */
export const FIXED = ['relu', 'gelu'] as const satisfies Name[];
export const PICKABLE = NAMES.filter((name) => name !== 'relu' && name !== 'gelu');

export const activationOf = (name: Name): ActivationChoice => ({
  op: name,
  use: '',
  group: 'Elementwise',
  ratio: 1,
  create: MODULES[name],
  curve: undefined,
});

export const LOSS: LossChoice = {
  op: 'crossEntropy',
  use: '',
  separable: true,
  target: (labels, _, device) => tensor(Int32Array.from(labels), { dtype: 'int32', device }),
  compute: (logits, target) => crossEntropy(logits, target),
};

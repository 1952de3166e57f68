// Takes the name of an optimizer, parameters, a learning rate, and gives that optimizer of the library.
import { optim, type Tensor } from 'nonlin';

/** The optimizers to choose from, each with the learning rate that suits the digits. */
export const OPTIMIZERS = {
  sgd: { label: 'SGD', learningRate: 0.2 },
  momentum: { label: 'SGD, Nesterov momentum 0.9', learningRate: 0.05 },
  adam: { label: 'Adam', learningRate: 0.003 },
  adamw: { label: 'AdamW, weight decay 0.01', learningRate: 0.003 },
} as const;

export type OptimizerName = keyof typeof OPTIMIZERS;
export const OPTIMIZER_NAMES = Object.keys(OPTIMIZERS) as OptimizerName[];

export function createOptimizer(
  name: OptimizerName,
  parameters: Tensor[],
  lr: number,
): optim.Optimizer {
  switch (name) {
    case 'sgd':
      return new optim.SGD(parameters, { lr });
    case 'momentum':
      return new optim.SGD(parameters, { lr, momentum: 0.9, nesterov: true });
    case 'adam':
      return new optim.Adam(parameters, { lr });
    case 'adamw':
      return new optim.AdamW(parameters, { lr, weightDecay: 0.01 });
  }
}

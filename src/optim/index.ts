// The optimizers, under PyTorch's names.
export { Adam, AdamW, type AdamOptions } from './adam.ts';
export { Optimizer, type OptimizerState } from './optimizer.ts';
export { SGD, type SGDOptions } from './sgd.ts';

/**
 * The optimizers, under PyTorch's names.
 *
 * @module nonlin/optim
 */
export { Adam, AdamW, type AdamOptions } from './adam.ts';
export type { GroupOptions, OptimizerParameters, ParamGroup, ParamGroupInit } from './groups.ts';
export * as lrScheduler from './lr-scheduler/index.ts';
export { Optimizer, type OptimizerState, type SavedGroup } from './optimizer.ts';
export { RMSprop, type RMSpropOptions } from './rmsprop.ts';
export { SGD, type SGDOptions } from './sgd.ts';

/**
 * The learning rate schedulers, under PyTorch's names.
 *
 * @module
 */
export {
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  type CosineAnnealingLROptions,
  type CosineAnnealingWarmRestartsOptions,
} from './cosine.ts';
export { OneCycleLR, type OneCycleLROptions, type OneCycleState } from './one-cycle.ts';
export { ReduceLROnPlateau, type ReduceLROnPlateauOptions } from './plateau.ts';
export { LRScheduler, type SchedulerOptions, type SchedulerState } from './scheduler.ts';
export { SequentialLR } from './sequential.ts';
export {
  ExponentialLR,
  LambdaLR,
  LinearLR,
  MultiStepLR,
  StepLR,
  type LinearLROptions,
  type LrLambda,
  type StepLROptions,
} from './steps.ts';

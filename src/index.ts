/**
 * The public names: functions, tensors, devices, errors and types. Module classes are in the namespace `nn`, optimizers in `optim`.
 *
 * @module nonlin
 */
export { noGrad } from './core/autograd.ts';
export { capture, type CapturedStep } from './capture/capture.ts';
export { checkGradient, type GradientCheck, type GradientCheckOptions } from './check-gradient.ts';
export type {
  Activation,
  ActivationDeclaration,
  FusedActivation,
  FusedLearned,
  LearnedActivation,
} from './define/activation.ts';
export { defineActivation, defineLoss } from './define/checked.ts';
export type { Loss, LossDeclaration, Reduction } from './define/loss.ts';
export { activationModule, lossModule } from './define/module.ts';
export type { Device, DeviceLostDetails, DeviceStats } from './core/device.ts';
export type { DeviceMemory } from './core/device-memory.ts';
export type { DType } from './core/dtype.ts';
export * from './core/errors.ts';
export type { TensorData } from './core/host-data.ts';
export { init, type InitOptions } from './init.ts';
export { add, div, maximum, minimum, mul, sub } from './math/arithmetic.ts';
export { cast } from './math/cast.ts';
export { cat, type CatOptions } from './math/cat.ts';
export { dropout, type DropoutOptions } from './math/dropout.ts';
export { arange, full, ones, randn, zeros, type FactoryOptions } from './math/factories.ts';
export { linear, type LinearOptions } from './math/linear.ts';
export { logsumexp } from './math/logsumexp.ts';
export { matmul, type OutOption } from './math/matmul.ts';
export { argmax, max, type ArgmaxOptions, type MaxOptions } from './math/max.ts';
export { narrow } from './math/narrow.ts';
export { permute, transpose } from './math/permute.ts';
export { mean, sum, type ReduceOptions } from './math/reduce.ts';
export { reshape } from './math/reshape.ts';
export { abs, exp, log, neg, sqrt } from './math/unary.ts';
export { where } from './math/where.ts';
export * as nn from './nn/index.ts';
export * from './ops.ts';
export * as optim from './optim/index.ts';
export { manualSeed } from './core/random.ts';
export * as safetensors from './safetensors.ts';
export { scope } from './core/scope.ts';
export { tensor, type TensorOptions } from './core/from-data.ts';
export type { ArrayOfRank, DataOf, NestedArray } from './core/nested.ts';
export { Tensor, type FromBufferOptions } from './core/tensor.ts';
export type * from './types.ts';
export * as wgsl from './shader/wgsl.ts';
